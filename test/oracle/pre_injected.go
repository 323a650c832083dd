package main

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
)

// preInject occasionally adds a sidecar before the pod is sent, as `istioctl kube-inject` does, with the configuration
// of one of the control planes.
func preInject(r random, m *installation, pod *corev1.Pod) (*corev1.Pod, error) {
	if !r.chance(8) {
		return pod, nil
	}
	data, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	patch, denied, err := one(r, m.planes...).istiod.call("/inject", pod.Namespace, data)
	if err != nil || denied != "" || len(patch) == 0 {
		return pod, err
	}
	injected, _, err := applyPatch(data, patch)
	if err != nil || invalid(injected) != "" {
		return pod, err // the API server would not have accepted it
	}
	mountToken(injected)
	if r.chance(25) {
		editInjected(r, injected)
	}
	return injected, nil
}

// editInjected changes an annotation after injection: the arguments of istio-init stay unchanged.
func editInjected(r random, pod *corev1.Pod) {
	switch r.IntN(4) {
	case 0:
		pod.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"] = "8080"
	case 1:
		pod.Annotations["traffic.sidecar.istio.io/includeInboundPorts"] = ""
	case 2:
		pod.Annotations["sidecar.istio.io/rewriteAppHTTPProbers"] = one(r, "true", "false")
	case 3:
		pod.Annotations["status.sidecar.istio.io/port"] = "16020"
	}
}
