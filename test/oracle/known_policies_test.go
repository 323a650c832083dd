package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestKnownPeerAuthenticationCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Dataplane, MeshRootNamespace string
			ControlPlaneRevision             string
			Policies                         []struct {
				Namespace, Name string
				AgeOrder        int
				Selector        map[string]string
				Mode            *string
				PortLevel       map[string]*string
				Revision        string
			}
			Workload struct {
				Namespace string
				Labels    map[string]string
			}
			Expect struct {
				Mode    string
				PerPort map[string]string
			}
		}
	}
	readCases(t, "peer-auth.json", &file)
	for _, c := range file.Cases {
		if c.Dataplane == "ambient" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			values := object{"revision": c.ControlPlaneRevision}
			if c.MeshRootNamespace != "" {
				put(values, c.MeshRootNamespace, "meshConfig", "rootNamespace")
			}
			plane, err := install("p", "istio-system", values, installOptions{})
			must(t, err)
			var policies []json.RawMessage
			for _, p := range c.Policies {
				spec := object{}
				if p.Selector != nil {
					put(spec, p.Selector, "selector", "matchLabels")
				}
				if p.Mode != nil {
					put(spec, *p.Mode, "mtls", "mode")
				}
				for port, mode := range p.PortLevel {
					put(spec, object{}, "portLevelMtls", port)
					if mode != nil {
						put(spec, *mode, "portLevelMtls", port, "mode")
					}
				}
				metadata := object{"name": p.Name, "namespace": p.Namespace, "creationTimestamp": fmt.Sprintf("2026-01-01T00:00:%02dZ", p.AgeOrder)}
				if p.Revision != "" {
					put(metadata, p.Revision, "labels", "istio.io/rev")
				}
				data, err := json.Marshal(object{"metadata": metadata, "spec": spec})
				must(t, err)
				policies = append(policies, data)
			}
			pod := &corev1.Pod{}
			pod.Namespace, pod.Labels = c.Workload.Namespace, c.Workload.Labels
			want, ports := map[string]string{"1234": c.Expect.Mode}, []int{1234}
			for port, mode := range c.Expect.PerPort {
				number, err := strconv.Atoi(port)
				must(t, err)
				want[port], ports = mode, append(ports, number)
			}
			modes, err := plane.istiod.modes(policies, pod, ports)
			if must(t, err); fmt.Sprint(modes) != fmt.Sprint(want) {
				t.Errorf("%v, want %v", modes, want)
			}
		})
	}
}
