package main

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// istioPorts are the ports that Istio itself listens on, plus Envoy's outbound and inbound listeners.
var istioPorts = []int{15001, 15006, 15008, 15020, 15021, 15090}

// portsOf returns the ports to evaluate: the pod's, Istio's and a random one.
func portsOf(r random, pod *corev1.Pod) []int {
	ports := append(mentionedPorts(pod), istioPorts...)
	ports = append(ports, 1+r.IntN(65535))
	slices.Sort(ports)
	return slices.Compact(ports)
}

// mentionedPorts returns the container ports and the ports of probes and hooks; a name counts only if the container has
// it.
func mentionedPorts(pod *corev1.Pod) []int {
	var ports []int
	for _, c := range append(slices.Clone(pod.Spec.InitContainers), pod.Spec.Containers...) {
		for _, port := range c.Ports {
			ports = append(ports, int(port.ContainerPort))
		}
		for _, slot := range slots {
			if port, ok := handlerPort(slot.of(&c), c.Ports); ok {
				ports = append(ports, port)
			}
		}
	}
	ports = slices.DeleteFunc(ports, func(port int) bool { return port < 1 || port > 65535 })
	slices.Sort(ports)
	return slices.Compact(ports)
}

func handlerPort(handler any, named []corev1.ContainerPort) (int, bool) {
	var port intstr.IntOrString
	probe, _ := handler.(corev1.ProbeHandler)
	hook, _ := handler.(corev1.LifecycleHandler)
	switch {
	case probe.HTTPGet != nil:
		port = probe.HTTPGet.Port
	case probe.TCPSocket != nil:
		port = probe.TCPSocket.Port
	case probe.GRPC != nil:
		return int(probe.GRPC.Port), true
	case hook.HTTPGet != nil:
		port = hook.HTTPGet.Port
	case hook.TCPSocket != nil:
		port = hook.TCPSocket.Port
	default:
		return 0, false
	}
	if port.Type == intstr.Int {
		return port.IntValue(), true
	}
	for _, candidate := range named {
		if candidate.Name == port.StrVal {
			return int(candidate.ContainerPort), true
		}
	}
	return 0, false
}
