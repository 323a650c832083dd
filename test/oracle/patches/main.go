// Command patches applies JSON patches as the API server does: with its patch library, and then its own types. It reads lines of
// {"kind", "object", "patch", "after"} and writes a line for each: {"skipped": true} where the API server would not have decoded
// the object, {"error"} where it refuses the patch or what it makes of the object, and {"differs": true} where that is not "after".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

type question struct {
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
	Patch  json.RawMessage `json:"patch"`
	After  json.RawMessage `json:"after"`
}

type answer struct {
	Skipped bool   `json:"skipped,omitempty"`
	Differs bool   `json:"differs,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		line, err := json.Marshal(judge(asked))
		if err != nil {
			fail(err)
		}
		fmt.Println(string(line))
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

// The API server sends what it decoded, so an object that does not decode never reaches a webhook.
func judge(asked question) answer {
	object := newObject(asked.Kind)
	if object == nil || json.Unmarshal(asked.Object, object) != nil {
		return answer{Skipped: true}
	}
	patch, err := jsonpatch.DecodePatch(asked.Patch)
	if err != nil {
		return answer{Error: err.Error()}
	}
	patched, err := patch.Apply(asked.Object)
	if err != nil {
		return answer{Error: err.Error()}
	}
	stored, expected := newObject(asked.Kind), newObject(asked.Kind)
	if err := json.Unmarshal(patched, stored); err != nil {
		return answer{Error: err.Error()}
	}
	if err := json.Unmarshal(asked.After, expected); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Differs: !reflect.DeepEqual(stored, expected)}
}

func newObject(kind string) any {
	switch kind {
	case "Pod":
		return &core.Pod{}
	case "ReplicationController":
		return &core.ReplicationController{}
	case "Deployment":
		return &apps.Deployment{}
	case "StatefulSet":
		return &apps.StatefulSet{}
	case "DaemonSet":
		return &apps.DaemonSet{}
	case "ReplicaSet":
		return &apps.ReplicaSet{}
	case "Job":
		return &batch.Job{}
	case "CronJob":
		return &batch.CronJob{}
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
