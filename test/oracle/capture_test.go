package main

import (
	"reflect"
	"testing"
)

// Results from a real node under STRICT (docs/facts/traffic-capture.md#which-ports-are-redirected); "reset" means
// captured.
func TestCapture(t *testing.T) {
	pod := func(annotation string) string {
		return "metadata: {annotations: {" + annotation + "}}\nspec: {containers: [{name: app, image: a}]}"
	}
	type ports = map[string]bool
	for name, c := range map[string]struct {
		values, pod string
		want        ports
	}{
		"plain sidecar": {"", pod(""),
			ports{"8080": true, "8083": true, "15008": false, "15020": false, "15021": false, "15090": false}},
		"exclude":                       {"", pod(`traffic.sidecar.istio.io/excludeInboundPorts: "8083"`), ports{"8080": true, "8083": false}},
		"exclude with blanks":           {"", pod(`traffic.sidecar.istio.io/excludeInboundPorts: " 8083 , 9000 "`), ports{"8080": true, "8083": false, "9000": false}},
		"an octal 8080":                 {"", pod(`traffic.sidecar.istio.io/excludeInboundPorts: "017620"`), ports{"8080": false, "8083": true}},
		"include":                       {"", pod(`traffic.sidecar.istio.io/includeInboundPorts: "8080"`), ports{"8080": true, "8083": false}},
		"include nothing":               {"", pod(`traffic.sidecar.istio.io/includeInboundPorts: ""`), ports{"8080": false, "8083": false}},
		"exclude beside include":        {"", pod(`traffic.sidecar.istio.io/includeInboundPorts: "8080,8083", traffic.sidecar.istio.io/excludeInboundPorts: "8083"`), ports{"8080": true, "8083": true}},
		"another status port":           {"", pod(`status.sidecar.istio.io/port: "16020"`), ports{"8080": true, "15020": true, "16020": false}},
		"TPROXY":                        {"", pod(`sidecar.istio.io/interceptionMode: TPROXY`), ports{"8080": true, "15008": true, "15020": false}},
		"NONE":                          {"", pod(`sidecar.istio.io/interceptionMode: NONE`), ports{"8080": false}},
		"gateway":                       {"", pod(`inject.istio.io/templates: gateway`), ports{"8080": false}},
		"grpc-agent":                    {"", pod(`inject.istio.io/templates: grpc-agent`), ports{"8080": false}},
		"CNI":                           {"cni: {enabled: true}", pod(""), ports{"8080": true, "15008": false, "15021": false}},
		"CNI and an inject label False": {"cni: {enabled: true}", "metadata: {labels: {sidecar.istio.io/inject: \"False\"}}\nspec: {containers: [{name: app, image: a}]}", ports{"8080": false}}, // cases/injection.json INJ-093
		"another interface":             {"", pod(`traffic.sidecar.istio.io/excludeInterfaces: eth0`), ports{"8080": false}},                                                                     // docs/facts/traffic-capture.md#two-status-ports
	} {
		t.Run(name, func(t *testing.T) {
			var asked []int
			for _, port := range []int{8080, 8083, 9000, 15008, 15020, 15021, 15090, 16020} {
				asked = append(asked, port)
			}
			answer := ask(t, question{values: c.values, namespace: enabled, pod: c.pod, ports: asked})
			got := ports{}
			for port := range c.want {
				got[port] = answer.Captured[port]
			}
			if !answer.Injected || !reflect.DeepEqual(got, c.want) {
				t.Errorf("injected %v, captured %v, want %v; redirection %q %q", answer.Injected, got, c.want, answer.Redirection, answer.NeverStarts)
			}
		})
	}
}

// istio-init fails on " " and on a port that iptables reads as an invalid octal number. With CNI, a pod in mode NONE
// gets no network: docs/facts/traffic-capture.md#two-status-ports.
func TestNeverStarts(t *testing.T) {
	for _, q := range []question{
		{namespace: enabled, pod: `{metadata: {annotations: {traffic.sidecar.istio.io/includeInboundPorts: " "}}, spec: {containers: [{name: app, image: a}]}}`, ports: []int{8080}},
		{namespace: enabled, pod: `{metadata: {annotations: {traffic.sidecar.istio.io/excludeInboundPorts: "08081"}}, spec: {containers: [{name: app, image: a}]}}`, ports: []int{8080}},
		{namespace: enabled, values: "cni: {enabled: true}", pod: `{metadata: {annotations: {sidecar.istio.io/interceptionMode: NONE}}, spec: {containers: [{name: app, image: a}]}}`, ports: []int{8080}},
	} {
		if answer := ask(t, q); answer.NeverStarts == "" || answer.Captured != nil {
			t.Errorf("%+v", answer)
		}
	}
}
