package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// readCases reads a file of test/cases, whose facts the TypeScript tests assert as well.
func readCases(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "cases", file))
	must(t, err)
	must(t, json.Unmarshal(data, into))
}

func TestKnownInjectionCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Kind string
			Install  struct {
				ControlPlanes []struct {
					Revision string
					Tags     []any
				}
				EnableNamespacesByDefault bool
			}
			InjectorConfig struct {
				Policy                                    string
				NeverInjectSelector, AlwaysInjectSelector []any
			}
			Namespace struct {
				Name   string
				Labels map[string]string
			}
			Pod struct {
				Labels, Annotations map[string]string
				HostNetwork         bool
			}
			Expect struct {
				Injected       *bool
				WebhookService *string
			}
		}
	}
	readCases(t, "injection.json", &file)
	for _, c := range file.Cases {
		if c.Kind == "ambient" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			var w world
			for i, p := range c.Install.ControlPlanes {
				values := object{"revision": p.Revision, "revisionTags": p.Tags}
				put(values, c.Install.EnableNamespacesByDefault, "sidecarInjectorWebhook", "enableNamespacesByDefault")
				if c.InjectorConfig.Policy != "" {
					put(values, c.InjectorConfig.Policy, "global", "proxy", "autoInject")
				}
				put(values, append([]any{}, c.InjectorConfig.NeverInjectSelector...), "sidecarInjectorWebhook", "neverInjectSelector")
				put(values, append([]any{}, c.InjectorConfig.AlwaysInjectSelector...), "sidecarInjectorWebhook", "alwaysInjectSelector")
				plane, err := install(strconv.Itoa(i), "istio-system", values, installOptions{})
				must(t, err)
				w.planes = append(w.planes, plane)
			}
			hooks, err := hooksOf(w.planes, configurationsIn(w.planes))
			must(t, err)
			w.hooks, w.namespaceLabels = hooks, namespace{name: c.Namespace.Name, labels: c.Namespace.Labels}.seen()
			pod := &corev1.Pod{Spec: corev1.PodSpec{HostNetwork: c.Pod.HostNetwork, Containers: []corev1.Container{{Name: "app"}}}}
			pod.Namespace, pod.Labels, pod.Annotations = c.Namespace.Name, c.Pod.Labels, c.Pod.Annotations
			setDefaults(pod)
			answer := evaluate(t, w, pod, []int{8080})
			if c.Expect.Injected != nil && answer.Injected != *c.Expect.Injected {
				t.Errorf("injected %v: %+v", answer.Injected, answer)
			}
			if c.Kind != "injectRequired" && (len(answer.Webhooks) > 0) != (c.Expect.WebhookService != nil) {
				t.Errorf("called %+v", answer.Webhooks)
			}
		})
	}
}

func configurationsIn(planes []*controlPlane) (all []configuration) {
	for _, plane := range planes {
		all = append(all, plane.configurations...)
	}
	return all
}
