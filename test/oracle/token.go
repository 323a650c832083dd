package main

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

const (
	tokenVolume = "kube-api-access-x7k2p"
	tokenPath   = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// mountToken does what the API server's admission plugin ServiceAccount does before and after the webhooks (Kubernetes'
// plugin/pkg/admission/serviceaccount/admission.go): it mounts the service account's token into every container without
// it. So injection is followed by a change, and webhooks with IfNeeded are called twice.
func mountToken(pod *corev1.Pod) (changed bool) {
	if !ptr.Deref(pod.Spec.AutomountServiceAccountToken, true) {
		return false
	}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			mounts := &containers[i].VolumeMounts
			if !slices.ContainsFunc(*mounts, func(m corev1.VolumeMount) bool { return m.MountPath == tokenPath }) {
				*mounts = append(*mounts, corev1.VolumeMount{Name: tokenVolume, ReadOnly: true, MountPath: tokenPath})
				changed = true
			}
		}
	}
	if changed && !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == tokenVolume }) {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: tokenVolume, VolumeSource: corev1.VolumeSource{
			Projected: &corev1.ProjectedVolumeSource{DefaultMode: ptr.To[int32](0o644), Sources: []corev1.VolumeProjection{{
				ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](3607)}}}}}})
	}
	return changed
}
