package main

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

// slot is a probe or hook of a container.
type slot struct {
	name string
	of   func(*corev1.Container) any
}

var slots = []slot{
	{"livenessProbe", func(c *corev1.Container) any { return probeHandler(c.LivenessProbe) }},
	{"readinessProbe", func(c *corev1.Container) any { return probeHandler(c.ReadinessProbe) }},
	{"startupProbe", func(c *corev1.Container) any { return probeHandler(c.StartupProbe) }},
	{"preStop", func(c *corev1.Container) any {
		return hookHandler(c, func(l *corev1.Lifecycle) *corev1.LifecycleHandler { return l.PreStop })
	}},
	{"postStart", func(c *corev1.Container) any {
		return hookHandler(c, func(l *corev1.Lifecycle) *corev1.LifecycleHandler { return l.PostStart })
	}},
}

func probeHandler(probe *corev1.Probe) any {
	if probe == nil {
		return nil
	}
	return probe.ProbeHandler
}

func hookHandler(c *corev1.Container, which func(*corev1.Lifecycle) *corev1.LifecycleHandler) any {
	if c.Lifecycle == nil || which(c.Lifecycle) == nil {
		return nil
	}
	return *which(c.Lifecycle)
}

// probeAnswers compares every probe and hook of the submitted pod with its state after admission. Rewritten means that
// the handler changed.
func probeAnswers(before, after *corev1.Pod) []ProbeAnswer {
	answers := []ProbeAnswer{}
	for _, list := range []struct {
		init       bool
		containers []corev1.Container
	}{{true, before.Spec.InitContainers}, {false, before.Spec.Containers}} {
		for i := range list.containers {
			c := &list.containers[i]
			answers = append(answers, compareContainer(c, list.init, findContainer(after, c.Name, list.init))...)
		}
	}
	return answers
}

func compareContainer(before *corev1.Container, init bool, after *corev1.Container) []ProbeAnswer {
	var answers []ProbeAnswer
	for _, slot := range slots {
		was := slot.of(before)
		if was == nil {
			continue
		}
		answer := ProbeAnswer{Container: before.Name, Init: init, Slot: slot.name}
		if after != nil {
			answer.After = slot.of(after)
			answer.Rewritten = !reflect.DeepEqual(was, answer.After)
		}
		answers = append(answers, answer)
	}
	return answers
}

// findContainer searches the same list first: a user's istio-proxy may have moved between the two
// (pkg/kube/inject/inject.go moveContainer).
func findContainer(pod *corev1.Pod, name string, init bool) *corev1.Container {
	lists := [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers}
	if init {
		lists[0], lists[1] = lists[1], lists[0]
	}
	for _, list := range lists {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}
