package main

import (
	"encoding/json"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestMain(m *testing.M) {
	silenceLogs()
	os.Exit(m.Run())
}

// question is a small cluster with one istiod and a pod, as a user describes it.
type question struct {
	values    string // of the chart
	tag       bool   // also the chart charts/default
	namespace map[string]string
	policies  []string
	pod       string
	ports     []int
}

var enabled = map[string]string{"istio-injection": "enabled"}

// ask installs, admits and returns Istio's answer.
func ask(t *testing.T, q question) Answer {
	t.Helper()
	values := object{}
	must(t, yaml.Unmarshal([]byte(q.values), &values))
	plane, err := install("test", "istio-system", values, installOptions{defaultChart: q.tag})
	must(t, err)
	hooks, err := hooksOf([]*controlPlane{plane}, plane.configurations)
	must(t, err)
	w := world{planes: []*controlPlane{plane}, hooks: hooks, cni: values["cni"] != nil,
		namespaceLabels: namespace{name: "app", labels: q.namespace}.seen()}
	for _, policy := range q.policies {
		data, err := yaml.YAMLToJSON([]byte(policy))
		must(t, err)
		w.policies = append(w.policies, json.RawMessage(data))
	}
	pod := &corev1.Pod{}
	must(t, yaml.Unmarshal([]byte(q.pod), pod))
	pod.Namespace = "app"
	setDefaults(pod)
	return evaluate(t, w, pod, q.ports)
}

func evaluate(t *testing.T, w world, pod *corev1.Pod, ports []int) Answer {
	t.Helper()
	runner, err := newDryRunner()
	must(t, err)
	defer runner.close()
	answer, err := w.evaluate(pod, ports, runner)
	must(t, err)
	return answer
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
