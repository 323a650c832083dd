// Command yaml reads files as kubectl does: by the decoder of k8s.io/apimachinery, which splits a stream and hands each document
// to sigs.k8s.io/yaml or encoding/json. It reads a line of JSON for each file, its text, and writes a line of JSON for it:
// {"documents": [...]}, with {"error": "..."} where the decoder stopped.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type answer struct {
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
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

// read passes over empty documents, as kubectl does
// (https://github.com/kubernetes/cli-runtime/blob/v0.37.2/pkg/resource/visitor.go, StreamVisitor).
func read(text string) answer {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	found := answer{Documents: []json.RawMessage{}}
	for {
		var raw runtime.RawExtension
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			found.Error = err.Error()
			return found
		}
		value := bytes.TrimSpace(raw.Raw)
		if len(value) > 0 && !bytes.Equal(value, []byte("null")) {
			found.Documents = append(found.Documents, json.RawMessage(value))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "yaml:", err)
	os.Exit(1)
}
