package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func newProbe(r random, container, slot string) *corev1.Probe {
	probe := &corev1.Probe{}
	if r.chance(30) {
		probe.TimeoutSeconds, probe.PeriodSeconds = int32(1+r.IntN(5)), int32(5+r.IntN(20))
	}
	switch n := r.IntN(100); {
	case n < 60:
		probe.HTTPGet = newHTTPGet(r, container, slot)
	case n < 74:
		probe.TCPSocket = &corev1.TCPSocketAction{Port: newPort(r), Host: newHost(r)}
	case n < 90:
		probe.GRPC = &corev1.GRPCAction{Port: one[int32](r, 9000, 9000, 9090, 15020, 15090)}
		if r.chance(30) {
			probe.GRPC.Service = ptr.To("shop.Cart")
		}
	default:
		probe.Exec = &corev1.ExecAction{Command: []string{"cat", "/tmp/ok"}}
	}
	return probe
}

func newLifecycle(r random, container string) *corev1.Lifecycle {
	lifecycle := &corev1.Lifecycle{}
	if r.chance(70) {
		lifecycle.PreStop = newHook(r, container, "prestopz")
	}
	if lifecycle.PreStop == nil || r.chance(40) {
		lifecycle.PostStart = newHook(r, container, "poststartz")
	}
	return lifecycle
}

func newHook(r random, container, slot string) *corev1.LifecycleHandler {
	switch n := r.IntN(100); {
	case n < 50:
		return &corev1.LifecycleHandler{HTTPGet: newHTTPGet(r, container, slot)}
	case n < 65:
		return &corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{Port: newPort(r)}}
	case n < 80:
		return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}
	}
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "5"}}}
}

func newHTTPGet(r random, container, slot string) *corev1.HTTPGetAction {
	if r.chance(r.or(8, 2)) {
		return rewrittenAlready(r, container, slot)
	}
	get := &corev1.HTTPGetAction{Port: newPort(r), Host: newHost(r), Path: one(r, "", "/", "/healthz", "healthz", "/ready?full=1")}
	if r.chance(20) {
		get.Scheme = corev1.URISchemeHTTPS
	}
	if r.chance(15) {
		get.HTTPHeaders = []corev1.HTTPHeader{{Name: one(r, "Host", "X-Probe"), Value: "shop.example.com"}}
	}
	return get
}

// rewrittenAlready has the form that Istio gives a probe, usually for this very container and slot.
func rewrittenAlready(r random, container, slot string) *corev1.HTTPGetAction {
	kind := "/app-health/"
	if slot == "prestopz" || slot == "poststartz" {
		kind = "/app-lifecycle/"
	}
	if r.chance(20) {
		container = "worker"
	}
	if r.chance(20) {
		slot = "readyz"
	}
	return &corev1.HTTPGetAction{Path: kind + container + "/" + slot, Port: intstr.FromInt32(one[int32](r, 15020, 15020, 15020, 16020, 8080))}
}

// newPort is a number or a name, which may belong to this container, to another one or to none.
func newPort(r random) intstr.IntOrString {
	if r.chance(r.or(35, 8)) {
		return intstr.FromString(one(r, "http", "http", "health", "grpc", "nowhere", "dns", "istio"))
	}
	return intstr.FromInt32(one[int32](r, 8080, 8080, 8080, 8081, 8081, 9090, 3000, 7777, 15020, 15021, 15008, 16020))
}

func newHost(r random) string {
	if r.chance(r.or(8, 1)) {
		return one(r, "127.0.0.1", "example.com", podAddress)
	}
	return ""
}
