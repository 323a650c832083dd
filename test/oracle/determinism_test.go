package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func output(t *testing.T, o options) string {
	t.Helper()
	var all bytes.Buffer
	out := bufio.NewWriter(&all)
	must(t, run(o, out))
	must(t, out.Flush())
	return all.String()
}

// The same seed and index yield the same bytes, wherever a run begins.
func TestDeterminism(t *testing.T) {
	o := options{seed: 7, count: 80, job: alone, share: true}
	first, second := output(t, o), output(t, o)
	if first != second {
		t.Error("two runs differ")
	}
	o.from, o.count = 79, 1
	lines := strings.Split(strings.TrimSpace(output(t, o)), "\n")
	if last := lines[len(lines)-1]; !strings.HasSuffix(first, last+"\n") {
		t.Errorf("case 79 alone differs: %s", last)
	}
	if o.seed = 8; strings.Contains(first, output(t, o)) {
		t.Error("another seed gives the same cases")
	}
}
