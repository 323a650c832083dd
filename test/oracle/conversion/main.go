// Command conversion runs Istio's own code for `convert`: it reads JSON lines and writes JSON lines until its input
// ends.
//
//	{"objects": [...]}                    -> {"refusals": [...]}: the errors of Istio's validation for each of them
//	{"ingresses": [...], "services": [...]} -> {"objects": [...]}: the Gateways and VirtualServices of Istio's Ingress
//	                                         controller in mode DEFAULT, in which it serves Ingresses without a class
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	knetworking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"istio.io/istio/pkg/log"
)

type question struct {
	Objects   []json.RawMessage      `json:"objects"`
	Ingresses []*knetworking.Ingress `json:"ingresses"`
	Services  []*corev1.Service      `json:"services"`
}

type reply struct {
	Refusals []string `json:"refusals,omitempty"`
	Objects  []any    `json:"objects,omitempty"`
}

func main() {
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	if err := log.Configure(options); err != nil {
		fail(err)
	}
	lines, out := bufio.NewReaderSize(os.Stdin, 1<<20), json.NewEncoder(os.Stdout)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		answer, err := ask(line)
		if err == nil {
			err = out.Encode(answer)
		}
		if err != nil {
			fail(fmt.Errorf("line %d: %w", number, err))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "conversion:", err)
	os.Exit(1)
}

func ask(line []byte) (reply, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return reply{}, err
	}
	if len(q.Ingresses) == 0 {
		return reply{Refusals: refusals(q.Objects)}, nil
	}
	var cluster []runtime.Object
	for _, ingress := range q.Ingresses {
		cluster = append(cluster, ingress)
	}
	for _, service := range q.Services {
		cluster = append(cluster, service)
	}
	objects, err := convert(cluster)
	return reply{Objects: objects}, err
}
