package main

import "testing"

// Cases of test/cases/peer-auth.json by identifier, and cases that need an injected pod.
func TestModes(t *testing.T) {
	pa := func(metadata, spec string) string {
		return "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {" + metadata + "}, spec: {" + spec + "}}"
	}
	web := `{metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: a}]}}`
	old, young := `creationTimestamp: "2026-01-01T00:00:00Z"`, `creationTimestamp: "2026-01-01T00:00:01Z"`
	strict, selector := "mtls: {mode: STRICT}", "selector: {matchLabels: {app: web}}"
	for name, c := range map[string]struct {
		policies []string
		want     string
	}{
		"none":                   {nil, "PERMISSIVE"},
		"PA-002":                 {[]string{pa("namespace: istio-system, name: default", strict)}, "STRICT"},
		"PA-008":                 {[]string{pa("namespace: app, name: now, "+young, "mtls: {mode: DISABLE}"), pa("namespace: app, name: a, "+old, "mtls: {mode: PERMISSIVE}"), pa("namespace: app, name: b, "+old, strict)}, "PERMISSIVE"},
		"PA-045":                 {[]string{pa("namespace: app, name: default", strict+", "+selector+", portLevelMtls: {8080: {mode: DISABLE}}")}, "DISABLE"},
		"PA-105":                 {[]string{pa("namespace: app, name: b, "+old, "mtls: {mode: DISABLE}"), pa("namespace: app, name: a, "+old, strict)}, "STRICT"},
		"PA-113":                 {[]string{pa("namespace: other, name: p", strict)}, "PERMISSIVE"},
		"an older UNSET hides":   {[]string{pa("namespace: app, name: a, "+old, selector), pa("namespace: app, name: b, "+young, selector+", "+strict)}, "PERMISSIVE"},
		"root with selector":     {[]string{pa("namespace: istio-system, name: a", selector+", "+strict)}, "PERMISSIVE"},
		"another revision's":     {[]string{pa("namespace: app, name: a, labels: {istio.io/rev: canary}", strict)}, "PERMISSIVE"},
		"this revision's":        {[]string{pa("namespace: app, name: a, labels: {istio.io/rev: default}", strict)}, "STRICT"},
		"injected label":         {[]string{pa("namespace: app, name: a", strict+`, selector: {matchLabels: {security.istio.io/tlsMode: istio}}`)}, "STRICT"},
		"injected name":          {[]string{pa("namespace: app, name: a", strict+`, selector: {matchLabels: {service.istio.io/canonical-name: web}}`)}, "STRICT"},
		"ports without selector": {[]string{pa("namespace: app, name: a", strict+`, portLevelMtls: {8080: {mode: DISABLE}}`)}, "STRICT"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, question{namespace: enabled, policies: c.policies, pod: web, ports: []int{8080}})
			if answer.Modes["8080"] != c.want {
				t.Errorf("%s, want %s", answer.Modes["8080"], c.want)
			}
		})
	}
}
