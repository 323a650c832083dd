package main

import "testing"

// Cases of test/cases/injection.json by identifier, each with a whole installation.
func TestInjection(t *testing.T) {
	type labels = map[string]string
	pod := func(metadata, spec string) string {
		return "metadata: {" + metadata + "}\nspec: {" + spec + "containers: [{name: app, image: a}]}"
	}
	tagged := `{revision: 1-32-0, revisionTags: [prod]}`
	for name, c := range map[string]struct {
		question
		called   bool
		injected bool
	}{
		"INJ-085":       {question{namespace: enabled, pod: pod(`labels: {sidecar.istio.io/inject: "true"}`, "hostNetwork: true, ")}, true, false},
		"INJ-087":       {question{namespace: enabled, pod: pod(`annotations: {sidecar.istio.io/inject: "false"}`, "")}, true, false},
		"INJ-089":       {question{namespace: labels{"istio-injection": "Enabled"}, pod: pod(`labels: {sidecar.istio.io/inject: "true"}`, "")}, false, false},
		"INJ-092":       {question{namespace: enabled, pod: pod(`labels: {sidecar.istio.io/inject: ""}, annotations: {sidecar.istio.io/inject: "false"}`, "")}, true, true},
		"INJ-093":       {question{namespace: enabled, pod: pod(`labels: {sidecar.istio.io/inject: "False"}`, "")}, true, true},
		"INJ-094":       {question{pod: pod(`labels: {sidecar.istio.io/inject: "True"}`, "")}, false, false},
		"INJ-097":       {question{namespace: labels{"istio.io/rev": "ghost"}, pod: pod(`labels: {sidecar.istio.io/inject: "true"}`, "")}, false, false},
		"INJ-099":       {question{pod: pod(`labels: {istio.io/rev: default}`, "")}, true, true},
		"INJ-100":       {question{values: tagged, namespace: labels{"istio.io/rev": "prod"}, pod: pod("", "")}, true, true},
		"INJ-101":       {question{values: tagged, pod: pod("labels: {istio.io/rev: prod}", "")}, true, true},
		"INJ-102":       {question{values: tagged, namespace: enabled, pod: pod("", "")}, false, false},
		"chart default": {question{values: "revision: 1-32-0", tag: true, namespace: enabled, pod: pod("", "")}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, c.question)
			if (len(answer.Webhooks) > 0) != c.called || answer.Injected != c.injected {
				t.Errorf("called %+v, injected %v", answer.Webhooks, answer.Injected)
			}
		})
	}
}
