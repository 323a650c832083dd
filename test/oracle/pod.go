package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// newPod draws a pod as a user or a controller creates it.
func newPod(r random, m *installation, ns namespace) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: ns.name, Labels: newLabels(r, m), Annotations: newAnnotations(r)},
	}
	newOwner(r, pod)
	pod.Spec.HostNetwork = r.chance(3)
	if r.chance(10) {
		pod.Spec.AutomountServiceAccountToken = ptr.To(false)
	}
	names := [][]string{{"web"}, {"web"}, {"web", "worker"}, {"app", "log-agent"}, {"web", "worker", "metrics"}}
	for _, name := range one(r, names...) {
		pod.Spec.Containers = append(pod.Spec.Containers, newContainer(r, name, true))
	}
	if r.chance(4) {
		pod.Spec.Containers = append(pod.Spec.Containers, usersProxy(r))
		delete(pod.Annotations, "sidecar.istio.io/status") // otherwise it would look like a sidecar that no injector added
	}
	for _, name := range one(r, nil, nil, []string{"setup"}, []string{"side"}, []string{"setup", "side"}) {
		restarts := name == "side" || r.chance(20)
		c := newContainer(r, name, restarts)
		if restarts {
			c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
	}
	return pod
}

// newOwner makes a Deployment, a StatefulSet or nothing the owner of the pod, on which canonical-name depends
// (pkg/kube/util.go GetDeployMetaFromPod).
func newOwner(r random, pod *corev1.Pod) {
	owner := func(apiVersion, kind, name string) {
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: "1", Controller: ptr.To(true)}}
	}
	switch r.IntN(4) {
	case 0:
		pod.Name = "pod-1"
	case 1:
		pod.Name = "shop-web-0"
		owner("apps/v1", "StatefulSet", "shop-web")
	default:
		pod.GenerateName = "shop-web-6d5f9c7b8f-"
		pod.Labels["pod-template-hash"] = "6d5f9c7b8f"
		owner("apps/v1", "ReplicaSet", "shop-web-6d5f9c7b8f")
	}
}

// usersProxy customizes the sidecar from the pod's manifest (pkg/kube/inject/webhook.go reapplyOverwrittenContainers).
func usersProxy(r random) corev1.Container {
	c := corev1.Container{Name: "istio-proxy", Image: "auto"}
	if r.chance(30) {
		c.SecurityContext = &corev1.SecurityContext{RunAsUser: ptr.To[int64](2000)}
	}
	if r.chance(30) {
		c.Env = []corev1.EnvVar{{Name: "DISABLE_ENVOY", Value: "true"}}
	}
	return c
}

// newContainer draws a container; only one that keeps running may have probes and hooks.
func newContainer(r random, name string, keepsRunning bool) corev1.Container {
	c := corev1.Container{Name: name, Image: "example.com/" + name + ":1"}
	c.Ports = some(r, 40, containerPorts...)
	if r.chance(55) {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: "http", ContainerPort: one[int32](r, 8080, 8080, 3000)})
	}
	if !keepsRunning {
		return c
	}
	if r.chance(75) {
		c.LivenessProbe = newProbe(r, name, "livez")
	}
	if r.chance(75) {
		c.ReadinessProbe = newProbe(r, name, "readyz")
	}
	if r.chance(35) {
		c.StartupProbe = newProbe(r, name, "startupz")
	}
	if r.chance(30) {
		c.Lifecycle = newLifecycle(r, name)
	}
	return c
}

// containerPorts have names that probes of the same and of other containers refer to.
var containerPorts = []corev1.ContainerPort{
	{Name: "health", ContainerPort: 8081},
	{ContainerPort: 9090},
	{Name: "grpc", ContainerPort: 9000},
	{Name: "dns", ContainerPort: 5353, Protocol: corev1.ProtocolUDP},
	{Name: "istio", ContainerPort: 15020},
}
