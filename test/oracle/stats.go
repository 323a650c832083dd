package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// stats counts the answers, to show whether the corner cases occur.
type stats map[string]int

func (t stats) add(c *Case) {
	a := c.Answer
	t.count("cases", true)
	t.count("webhook called", len(a.Webhooks) > 0)
	t.count("several webhooks called", len(a.Webhooks) > 1)
	t.count("denied", a.Denied != "")
	t.count("invalid", a.Invalid != "")
	t.count("never starts", a.NeverStarts != "")
	t.count("injected", a.Injected)
	t.count("redirected by "+a.Redirection, a.Redirection != "")
	for _, probe := range a.Probes {
		t.count("probes", true)
		t.count("probes rewritten", probe.Rewritten)
	}
	for port, captured := range a.Captured {
		t.count("ports of injected pods", a.Injected)
		t.count("ports captured", a.Injected && captured)
		t.count("ports "+a.Modes[port], a.Injected)
	}
}

func (t stats) count(what string, yes bool) {
	if yes {
		t[what]++
	}
}

func (t stats) print(out io.Writer) {
	for _, what := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(out, "%-28s %d\n", what, t[what])
	}
}
