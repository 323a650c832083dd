package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// newPolicies draws PeerAuthentications, usually in namespaces relevant to the pod, often with equal timestamps.
func newPolicies(r random, m *installation, ns namespace, pod *corev1.Pod) ([]json.RawMessage, error) {
	var all []json.RawMessage
	aged, names := !r.chance(12), map[string]bool{}
	counts := []int{0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8}
	if r.breaking {
		counts = []int{0, 0, 1, 2}
	}
	for range one(r, counts...) {
		policy := newPolicy(r, m, ns, pod)
		metadata := policy["metadata"].(object)
		if key := fmt.Sprint(metadata["namespace"], "/", metadata["name"]); names[key] {
			continue
		} else {
			names[key] = true
		}
		if aged {
			metadata["creationTimestamp"] = fmt.Sprintf("2026-03-01T10:00:0%dZ", r.IntN(4))
		}
		data, err := json.Marshal(policy)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	if r.breaking {
		all = append(all, strictMesh(m)...)
	}
	return all, nil
}

// strictMesh requires mutual TLS in the mesh of each control plane.
func strictMesh(m *installation) []json.RawMessage {
	var all []json.RawMessage
	roots := map[string]bool{}
	for _, plane := range m.planes {
		root := plane.istiod.mesh.GetRootNamespace()
		if roots[root] {
			continue
		}
		roots[root] = true
		all = append(all, json.RawMessage(fmt.Sprintf(`{"apiVersion":"security.istio.io/v1","kind":"PeerAuthentication",`+
			`"metadata":{"name":"mesh","namespace":%q,"creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"mtls":{"mode":"STRICT"}}}`, root)))
	}
	return all
}

func newPolicy(r random, m *installation, ns namespace, pod *corev1.Pod) object {
	root := one(r, m.planes...).istiod.mesh.GetRootNamespace()
	metadata := object{"name": one(r, "default", "default", "a", "b", "strict", "z-last", "0-num"),
		"namespace": one(r, ns.name, ns.name, ns.name, ns.name, ns.name, root, root, root, "istio-system", "shop", "other")}
	if r.chance(15) {
		metadata["labels"] = object{"istio.io/rev": revisionLabel(r, m)}
	}
	policy := object{"apiVersion": one(r, "security.istio.io/v1", "security.istio.io/v1", "security.istio.io/v1beta1"),
		"kind": "PeerAuthentication", "metadata": metadata}
	spec := object{}
	if r.chance(90) {
		policy["spec"] = spec
	}
	if mtls, present := newMode(r); present {
		spec["mtls"] = mtls
	}
	selected := r.chance(55)
	if selected {
		spec["selector"] = object{"matchLabels": newSelector(r, pod)}
	} else if r.chance(10) {
		spec["selector"] = one(r, object{}, object{"matchLabels": object{}})
	}
	if selected && r.chance(50) || r.chance(5) {
		spec["portLevelMtls"] = newPortLevel(r, pod)
	}
	return policy
}

// newMode is the value of mtls: a mode, UNSET in its forms, or nothing.
func newMode(r random) (any, bool) {
	switch n := r.IntN(100); {
	case n < 56:
		return object{"mode": "STRICT"}, true
	case n < 68:
		return object{"mode": "PERMISSIVE"}, true
	case n < 76:
		return object{"mode": "DISABLE"}, true
	case n < 83:
		return object{"mode": "UNSET"}, true
	case n < 88:
		return object{}, true
	case n < 91:
		return nil, true
	}
	return nil, false
}

// newSelector usually matches the pod, by its own labels or by those that the injector will add.
func newSelector(r random, pod *corev1.Pod) object {
	own := slices.Sorted(maps.Keys(pod.Labels))
	selector := object{}
	for range one(r, 1, 1, 1, 2) {
		switch n := r.IntN(100); {
		case n < 60 && len(own) > 0:
			key := one(r, own...)
			selector[key] = pod.Labels[key]
		case n < 83:
			key := one(r, slices.Sorted(maps.Keys(injectedLabels))...)
			selector[key] = one(r, injectedLabels[key]...)
		default:
			selector["app"] = one(r, "web", "other", "Web", "")
		}
	}
	return selector
}

// injectedLabels are set by Istio's templates and by the injector (files/injection-template.yaml, webhook.go applyMetadata).
var injectedLabels = map[string][]string{
	"security.istio.io/tlsMode":           {"istio", "istio", "disabled"},
	"service.istio.io/canonical-name":     {"web", "shop-web", "pod-1", "api"},
	"service.istio.io/canonical-revision": {"latest", "v1"},
	"topology.istio.io/network":           {"network-1", "network-2"},
	"networking.istio.io/tunnel":          {"http"},
}

func newPortLevel(r random, pod *corev1.Pod) object {
	ports := object{}
	for _, port := range some(r, 40, append(mentionedPorts(pod), 9999)...) {
		if port < 1 {
			continue
		}
		mode, present := newMode(r)
		if mode == nil || !present {
			mode = object{}
		}
		ports[strconv.Itoa(port)] = mode
	}
	if len(ports) == 0 {
		ports["8080"] = object{"mode": "PERMISSIVE"}
	}
	return ports
}
