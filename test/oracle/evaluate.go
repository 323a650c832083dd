package main

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"istio.io/api/annotation"
	"istio.io/istio/pilot/cmd/pilot-agent/status"
	"istio.io/istio/pkg/kube/inject"
)

// world is a cluster as the evaluation needs it.
type world struct {
	planes          []*controlPlane
	hooks           []hook
	namespaceLabels map[string]string
	policies        []json.RawMessage
	cni             bool
}

// evaluate admits the pod and computes Istio's answers about the result. Ports are the ports to evaluate.
func (w world) evaluate(pod *corev1.Pod, ports []int, runner *dryRunner) (Answer, error) {
	a := admission{hooks: w.hooks, namespace: w.namespaceLabels, pod: pod, calls: []Call{}}
	if err := a.run(); err != nil {
		return Answer{}, err
	}
	answer := Answer{Webhooks: a.calls, Denied: a.denied, Probes: []ProbeAnswer{}}
	if a.denied != "" {
		return answer, nil
	}
	answer.Probes, answer.Invalid = probeAnswers(pod, a.pod), invalid(a.pod)
	answer.Probers = probersOf(a.pod)
	redirection, err := runner.redirect(a.pod, w.cni)
	if err != nil {
		return answer, err
	}
	answer.Redirection = redirection.by
	if answer.Captured, answer.NeverStarts, err = redirection.captured(ports); err != nil {
		return answer, err
	}
	return answer, w.evaluateMesh(a.pod, ports, &answer)
}

// probersOf returns the injector's instructions to the agent about the pod's probes.
func probersOf(pod *corev1.Pod) json.RawMessage {
	proxy := inject.FindSidecar(pod)
	if proxy == nil {
		return nil
	}
	if probers := valueOf(proxy, status.KubeAppProberEnvName); json.Valid([]byte(probers)) {
		return json.RawMessage(probers)
	}
	return nil
}

// evaluateMesh sets the answers that only apply to a pod in the mesh: revision and modes.
func (w world) evaluateMesh(pod *corev1.Pod, ports []int, answer *Answer) (err error) {
	written, ok := pod.Annotations[annotation.SidecarStatus.Name]
	if answer.Injected = ok && inject.FindSidecar(pod) != nil; !answer.Injected {
		return nil
	}
	if answer.Revision, err = revisionOf(written); err != nil {
		return err
	}
	if answer.Agent, err = agentOf(pod); err != nil {
		return err
	}
	for _, plane := range w.planes {
		if plane.name() == answer.Revision {
			answer.Modes, err = plane.istiod.modes(w.policies, pod, ports)
			return err
		}
	}
	return fmt.Errorf("injected by revision %q, which the cluster does not have", answer.Revision)
}

// revisionOf reads the annotation that the injector writes last (pkg/kube/inject/webhook.go getInjectionStatus).
func revisionOf(status string) (string, error) {
	var parsed inject.SidecarInjectionStatus
	err := json.Unmarshal([]byte(status), &parsed)
	return parsed.Revision, err
}

// invalid finds violations of Kubernetes' validation that Istio is known to cause: two containers of one name, and a
// handler with port 0 (pkg/apis/core/validation/validation.go).
func invalid(pod *corev1.Pod) string {
	seen := map[string]bool{}
	for _, c := range append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...) {
		if seen[c.Name] {
			return "duplicate container " + c.Name
		}
		seen[c.Name] = true
		for _, slot := range slots {
			if get := httpGet(slot.of(&c)); get != nil && get.Port.String() == "0" {
				return fmt.Sprintf("container %s: %s.httpGet.port is 0", c.Name, slot.name)
			}
		}
	}
	return ""
}

func httpGet(handler any) *corev1.HTTPGetAction {
	switch h := handler.(type) {
	case corev1.ProbeHandler:
		return h.HTTPGet
	case corev1.LifecycleHandler:
		return h.HTTPGet
	}
	return nil
}
