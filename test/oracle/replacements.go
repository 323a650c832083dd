package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// replacement is a pod to admit in the cluster of a case, instead of the case's own.
type replacement struct {
	Index uint64      `json:"index"`
	Pod   *corev1.Pod `json:"pod"`
	// Ports to evaluate in addition to those of the case.
	Ports []int `json:"ports"`
}

// readReplacements reads the JSON lines of a file; an empty name means none.
func readReplacements(name string) (map[uint64]replacement, error) {
	replacements := map[uint64]replacement{}
	if name == "" {
		return replacements, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r replacement
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		replacements[r.Index] = r
	}
	return replacements, lines.Err()
}
