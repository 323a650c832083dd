package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func newProbe(d dice, container, slot string) *corev1.Probe {
	probe := &corev1.Probe{}
	if d.chance(30) {
		probe.TimeoutSeconds, probe.PeriodSeconds = int32(1+d.IntN(5)), int32(5+d.IntN(20))
	}
	switch n := d.IntN(100); {
	case n < 60:
		probe.HTTPGet = newHTTPGet(d, container, slot)
	case n < 74:
		probe.TCPSocket = &corev1.TCPSocketAction{Port: newPort(d), Host: newHost(d)}
	case n < 90:
		probe.GRPC = &corev1.GRPCAction{Port: one[int32](d, 9000, 9000, 9090, 15020, 15090)}
		if d.chance(30) {
			probe.GRPC.Service = ptr.To("shop.Cart")
		}
	default:
		probe.Exec = &corev1.ExecAction{Command: []string{"cat", "/tmp/ok"}}
	}
	return probe
}

func newLifecycle(d dice, container string) *corev1.Lifecycle {
	lifecycle := &corev1.Lifecycle{}
	if d.chance(70) {
		lifecycle.PreStop = newHook(d, container, "prestopz")
	}
	if lifecycle.PreStop == nil || d.chance(40) {
		lifecycle.PostStart = newHook(d, container, "poststartz")
	}
	return lifecycle
}

func newHook(d dice, container, slot string) *corev1.LifecycleHandler {
	switch n := d.IntN(100); {
	case n < 50:
		return &corev1.LifecycleHandler{HTTPGet: newHTTPGet(d, container, slot)}
	case n < 65:
		return &corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{Port: newPort(d)}}
	case n < 80:
		return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}
	}
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "5"}}}
}

func newHTTPGet(d dice, container, slot string) *corev1.HTTPGetAction {
	if d.chance(8) {
		return rewrittenAlready(d, container, slot)
	}
	get := &corev1.HTTPGetAction{Port: newPort(d), Host: newHost(d), Path: one(d, "", "/", "/healthz", "healthz", "/ready?full=1")}
	if d.chance(20) {
		get.Scheme = corev1.URISchemeHTTPS
	}
	if d.chance(15) {
		get.HTTPHeaders = []corev1.HTTPHeader{{Name: one(d, "Host", "X-Probe"), Value: "shop.example.com"}}
	}
	return get
}

// rewrittenAlready is in the form that Istio gives a probe, mostly that of this very container and slot.
func rewrittenAlready(d dice, container, slot string) *corev1.HTTPGetAction {
	kind := "/app-health/"
	if slot == "prestopz" || slot == "poststartz" {
		kind = "/app-lifecycle/"
	}
	if d.chance(20) {
		container = "worker"
	}
	if d.chance(20) {
		slot = "readyz"
	}
	return &corev1.HTTPGetAction{Path: kind + container + "/" + slot, Port: intstr.FromInt32(one[int32](d, 15020, 15020, 15020, 16020, 8080))}
}

// newPort is a number or a name, which may belong to this container, to another or to none.
func newPort(d dice) intstr.IntOrString {
	if d.chance(35) {
		return intstr.FromString(one(d, "http", "http", "health", "grpc", "nowhere", "dns", "istio"))
	}
	return intstr.FromInt32(one[int32](d, 8080, 8080, 8080, 8081, 8081, 9090, 3000, 7777, 15020, 15021, 15008, 16020))
}

func newHost(d dice) string {
	if d.chance(8) {
		return one(d, "127.0.0.1", "example.com", podAddress)
	}
	return ""
}
