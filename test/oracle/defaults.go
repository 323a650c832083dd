package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// setDefaults sets the defaults that the API server sets before admission and after each patch: the part of Kubernetes'
// pkg/apis/core/v1/defaults.go that concerns the cases. (That package cannot be imported together with Istio's
// Kubernetes libraries without replacing every staging module.)
func setDefaults(pod *corev1.Pod) {
	spec := &pod.Spec
	orElse(&spec.RestartPolicy, corev1.RestartPolicyAlways)
	orElse(&spec.DNSPolicy, corev1.DNSClusterFirst)
	orElse(&spec.SchedulerName, corev1.DefaultSchedulerName)
	orElse(&spec.ServiceAccountName, "default")
	orElse(&spec.DeprecatedServiceAccount, spec.ServiceAccountName)
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	if spec.TerminationGracePeriodSeconds == nil {
		spec.TerminationGracePeriodSeconds = ptr.To[int64](30)
	}
	for i := range spec.InitContainers {
		defaultContainer(&spec.InitContainers[i], spec.HostNetwork)
	}
	for i := range spec.Containers {
		defaultContainer(&spec.Containers[i], spec.HostNetwork)
	}
}

func defaultContainer(c *corev1.Container, hostNetwork bool) {
	orElse(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	orElse(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	orElse(&c.ImagePullPolicy, corev1.PullIfNotPresent)
	for i := range c.Ports {
		orElse(&c.Ports[i].Protocol, corev1.ProtocolTCP)
		if hostNetwork {
			orElse(&c.Ports[i].HostPort, c.Ports[i].ContainerPort)
		}
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if probe != nil {
			defaultProbe(probe)
		}
	}
	if c.Lifecycle != nil {
		for _, hook := range []*corev1.LifecycleHandler{c.Lifecycle.PreStop, c.Lifecycle.PostStart} {
			if hook != nil {
				defaultHTTPGet(hook.HTTPGet)
			}
		}
	}
}

func defaultProbe(probe *corev1.Probe) {
	orElse(&probe.TimeoutSeconds, 1)
	orElse(&probe.PeriodSeconds, 10)
	orElse(&probe.SuccessThreshold, 1)
	orElse(&probe.FailureThreshold, 3)
	defaultHTTPGet(probe.HTTPGet)
	if probe.GRPC != nil && probe.GRPC.Service == nil {
		probe.GRPC.Service = ptr.To("")
	}
}

func defaultHTTPGet(action *corev1.HTTPGetAction) {
	if action != nil {
		orElse(&action.Path, "/")
		orElse(&action.Scheme, corev1.URISchemeHTTP)
	}
}

// orElse sets a value that is still zero.
func orElse[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}
