// Command yaml reads documents as kubectl does, by sigs.k8s.io/yaml. It reads a line of JSON for each document, its text, and
// writes a line of JSON for it: {"value": ...}, or {"error": "..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			fail(err)
		}
		line, err := json.Marshal(read(text))
		if err != nil {
			fail(err)
		}
		fmt.Fprintln(out, string(line))
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
}

func read(text string) answer {
	value, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: value}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "yaml:", err)
	os.Exit(1)
}
