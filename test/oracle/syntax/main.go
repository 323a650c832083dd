// Command syntax validates texts with Go's own parsers, which Kubernetes and istiod use. It reads one JSON line per
// text and writes true or false.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
)

type question struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

var judges = map[string]func(string) error{
	"address": func(text string) error { _, err := netip.ParseAddr(text); return err },
	"prefix":  func(text string) error { _, err := netip.ParsePrefix(text); return err },
	"regexp":  func(text string) error { _, err := regexp.Compile(text); return err },
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			fail(err)
		}
		judge, known := judges[q.Kind]
		if !known {
			fail(fmt.Errorf("unknown kind %q", q.Kind))
		}
		fmt.Fprintln(out, judge(q.Text) == nil)
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "syntax:", err)
	os.Exit(1)
}
