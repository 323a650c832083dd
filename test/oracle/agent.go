package main

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"istio.io/api/annotation"
	"istio.io/istio/pilot/cmd/pilot-agent/status"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/kube/inject"
)

// agent is Istio's agent in the pod that injection left.
type agent struct {
	// Native: it is an init container, and so runs before the pod's own containers.
	Native bool `json:"native"`
	// Port is where it listens; 0 where it does not.
	Port int32 `json:"port"`
	// Fails says why it does not start.
	Fails string `json:"fails,omitempty"`
}

// agentOf asks Istio where the agent of a pod listens, and whether it starts with the probes that it was given.
func agentOf(pod *corev1.Pod) (*agent, error) {
	proxy := inject.FindSidecar(pod)
	a := &agent{Native: findContainer(pod, proxy.Name, true) == proxy}
	var err error
	if a.Port, err = agentPort(pod, proxy); err != nil {
		return nil, err
	}
	if _, err := status.NewServer(status.Options{PodIP: podAddress, StatusPort: uint16(a.Port), NoEnvoy: true,
		KubeAppProbers: valueOf(proxy, status.KubeAppProberEnvName), PrometheusRegistry: prometheus.NewRegistry()}); err != nil {
		a.Fails = err.Error()
	}
	return a, nil
}

// agentPort follows pilot/cmd/pilot-agent/config/config.go, whose function reads files: the environment first, then the
// pod's two annotations.
func agentPort(pod *corev1.Pod, proxy *corev1.Container) (int32, error) {
	config := mesh.DefaultMeshConfig()
	for _, yaml := range []string{valueOf(proxy, "PROXY_CONFIG"), pod.Annotations[annotation.ProxyConfig.Name]} {
		if yaml == "" {
			continue
		}
		merged, err := mesh.ApplyProxyConfig(yaml, config)
		if err != nil {
			return 0, fmt.Errorf("the agent's configuration: %w", err)
		}
		config = merged
	}
	if own, ok := pod.Annotations[annotation.SidecarStatusPort.Name]; ok {
		port, _ := strconv.Atoi(own)
		return int32(port), nil
	}
	return config.DefaultConfig.StatusPort, nil
}

func valueOf(container *corev1.Container, name string) string {
	for _, variable := range container.Env {
		if variable.Name == name {
			return variable.Value
		}
	}
	return ""
}
