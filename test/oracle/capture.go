package main

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/pkg/kube/inject"
)

// redirection is the component that redirects the pod's traffic, and its rules.
type redirection struct {
	by     string
	rules  chains
	failed string
}

// redirect returns the rules of the injected pod: those of its istio-init, otherwise those of the CNI plugin if the
// cluster has it.
func (r *dryRunner) redirect(pod *corev1.Pod, cni bool) (redirection, error) {
	if init := inject.FindContainer(inject.InitContainerName, pod.Spec.InitContainers); init != nil {
		rules, err := r.istioInit(init)
		return redirection{by: "istio-init", rules: rules}, err
	}
	if !cni || pod.Spec.HostNetwork {
		return redirection{by: "none"}, nil
	}
	rules, failed, err := r.cni(pod)
	if len(rules) == 0 && failed == "" {
		return redirection{by: "none"}, err
	}
	return redirection{by: "cni", rules: rules, failed: failed}, err
}

// captured evaluates the rules for each port: true if a new connection from the node ends at Envoy's inbound listener.
// reroute-virtual-interfaces may send it to the outbound one, which requires no certificate.
func (r redirection) captured(ports []int) (answer map[string]bool, failed string, err error) {
	if r.failed != "" {
		return nil, r.failed, nil
	}
	if bad := r.rules.badRule(); bad != "" {
		return nil, bad, nil
	}
	answer = map[string]bool{}
	for _, port := range ports {
		to, err := r.rules.redirectedTo(newConnection(port))
		if err != nil {
			return nil, "", err
		}
		answer[strconv.Itoa(port)] = to == inboundPort
	}
	return answer, "", nil
}

// inboundPort is Envoy's inbound listener (tools/common/config/config.go InboundCapturePort).
const inboundPort = 15006
