package main

import (
	"encoding/json"
	"testing"
)

// Cases of test/cases/probe.json by identifier, and results from a real node (docs/facts/traffic-capture.md).
func TestProbes(t *testing.T) {
	pod := func(annotations, container string) string {
		return "metadata: {annotations: {" + annotations + "}}\nspec: {containers: [{name: c, image: a, ports: [{name: http, containerPort: 90}], " + container + "}]}"
	}
	for name, c := range map[string]struct {
		values, pod, denied string
		rewritten           bool
		after               string
	}{
		"PR-002":       {"", pod("", "readinessProbe: {httpGet: {port: 3333}}"), "", true, `{"httpGet":{"path":"/app-health/c/readyz","port":15020,"scheme":"HTTP"}}`},
		"PR-004":       {"", pod("", "lifecycle: {preStop: {httpGet: {port: 91}}}"), "", true, `{"httpGet":{"path":"/app-lifecycle/c/prestopz","port":15020,"scheme":"HTTP"}}`},
		"PR-034":       {"", pod("", "startupProbe: {httpGet: {port: http}}"), "", true, `{"httpGet":{"path":"/app-health/c/startupz","port":15020,"scheme":"HTTP"}}`},
		"PR-059":       {"", pod("", "livenessProbe: {grpc: {port: 1234}}"), "", true, `{"httpGet":{"path":"/app-health/c/livez","port":15020,"scheme":"HTTP"}}`},
		"PR-062":       {"", pod("", "lifecycle: {preStop: {httpGet: {path: /foo, port: 1234, host: foo}}}"), "", true, `{"httpGet":{"path":"/app-lifecycle/c/prestopz","port":15020,"host":"foo","scheme":"HTTP"}}`},
		"PR-069":       {"sidecarInjectorWebhook: {rewriteAppHTTPProbe: false}", pod(`sidecar.istio.io/rewriteAppHTTPProbers: "true"`, "livenessProbe: {httpGet: {port: 80}}"), "", true, `{"httpGet":{"path":"/app-health/c/livez","port":15020,"scheme":"HTTP"}}`},
		"PR-072":       {"", pod(`sidecar.istio.io/rewriteAppHTTPProbers: "false"`, "livenessProbe: {httpGet: {port: 80}}"), "", false, `{"httpGet":{"path":"/","port":80,"scheme":"HTTP"}}`},
		"exec":         {"", pod("", "livenessProbe: {exec: {command: [a]}}"), "", false, `{"exec":{"command":["a"]}}`},
		"unresolvable": {"", pod("", "livenessProbe: {tcpSocket: {port: nowhere}}"), "", true, `{"httpGet":{"path":"/app-health/c/livez","port":15020,"scheme":"HTTP"}}`},
		"grpc-agent":   {"", pod(`inject.istio.io/templates: grpc-agent, sidecar.istio.io/rewriteAppHTTPProbers: "true"`, "livenessProbe: {httpGet: {port: 80}}"), "", false, `{"httpGet":{"path":"/","port":80,"scheme":"HTTP"}}`},
		"a range":      {"", pod(`traffic.sidecar.istio.io/excludeInboundPorts: "8080-8090"`, "livenessProbe: {httpGet: {port: 80}}"), "failed to run injection template", false, ""},
		"no template":  {"", pod(`inject.istio.io/templates: nope`, "livenessProbe: {httpGet: {port: 80}}"), `failed to run injection template: requested template "nope" not found; have agentgateway`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, question{values: c.values, namespace: enabled, pod: c.pod, ports: []int{8080}})
			if c.denied != "" {
				if len(answer.Denied) < len(c.denied) || answer.Denied[:len(c.denied)] != c.denied {
					t.Errorf("denied %q", answer.Denied)
				}
				return
			}
			after, err := json.Marshal(answer.Probes[0].After)
			if must(t, err); answer.Probes[0].Rewritten != c.rewritten || string(after) != c.after {
				t.Errorf("rewritten %v, %s; want %v, %s", answer.Probes[0].Rewritten, after, c.rewritten, c.after)
			}
		})
	}
}
