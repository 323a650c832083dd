package main

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestKnownProbeCases(t *testing.T) {
	type container = object
	var file struct {
		Cases []struct {
			ID       string
			Settings struct {
				RewriteAppHTTPProbe bool
				MeshStatusPort      int
				Template            string
			}
			PodAnnotations map[string]string
			Container      container
			Slot           string
			In             object
			Expect         struct {
				Rewritten bool
				Out       object
			}
		}
	}
	readCases(t, "probe.json", &file)
	for _, c := range file.Cases {
		if c.PodAnnotations["sidecar.istio.io/status"] != "" || c.Settings.Template == "custom" || c.Container["name"] == "istio-proxy" {
			continue // need a pod or a template that the file does not contain
		}
		t.Run(c.ID, func(t *testing.T) {
			values := object{}
			put(values, c.Settings.RewriteAppHTTPProbe, "sidecarInjectorWebhook", "rewriteAppHTTPProbe")
			put(values, c.Settings.MeshStatusPort, "meshConfig", "defaultConfig", "statusPort")
			in := object{"name": c.Container["name"], "image": "a", "ports": c.Container["ports"]}
			if c.Slot == "preStop" || c.Slot == "postStart" {
				put(in, c.In, "lifecycle", c.Slot)
			} else {
				in[c.Slot] = c.In
			}
			spec := object{"containers": []any{object{"name": "other", "image": "a"}}}
			if c.Container["init"] == true {
				in["restartPolicy"], spec["initContainers"] = "Always", []any{in}
			} else {
				spec["containers"] = []any{in}
			}
			annotations := object{}
			for key, value := range c.PodAnnotations {
				annotations[key] = value
			}
			if c.Settings.Template != "sidecar" {
				annotations["inject.istio.io/templates"] = c.Settings.Template
			}
			pod, err := json.Marshal(object{"metadata": object{"annotations": annotations}, "spec": spec})
			must(t, err)
			valuesText, err := json.Marshal(values)
			must(t, err)
			answer := ask(t, question{values: string(valuesText), namespace: enabled, pod: string(pod), ports: []int{8080}})
			if len(answer.Probes) != 1 {
				t.Fatalf("%+v", answer)
			}
			got := answer.Probes[0]
			if want := defaulted(t, c.Slot, c.Expect.Out); fmt.Sprint(want) != text(t, got.After) {
				t.Errorf("%s, want %s", text(t, got.After), want)
			}
			if before := defaulted(t, c.Slot, c.In); c.Expect.Rewritten != got.Rewritten && before != text(t, got.After) {
				t.Errorf("rewritten %v", got.Rewritten)
			}
		})
	}
}

// defaulted returns a handler as the API server stores it.
func defaulted(t *testing.T, slot string, handler object) string {
	data, err := json.Marshal(handler)
	must(t, err)
	if slot == "preStop" || slot == "postStart" {
		var h corev1.LifecycleHandler
		must(t, json.Unmarshal(data, &h))
		defaultHTTPGet(h.HTTPGet)
		return text(t, h)
	}
	var probe corev1.Probe
	must(t, json.Unmarshal(data, &probe.ProbeHandler))
	defaultProbe(&probe)
	return text(t, probe.ProbeHandler)
}

func text(t *testing.T, value any) string {
	data, err := json.Marshal(value)
	must(t, err)
	return string(data)
}
