package main

import "maps"

// namespace is the namespace of the pod.
type namespace struct {
	name     string
	labels   map[string]string
	declared bool // false: no manifest declares it
}

// seen returns its labels in the API server, which adds the name.
func (n namespace) seen() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, n.labels)
	labels["kubernetes.io/metadata.name"] = n.name
	return labels
}

// manifest is the namespace as in a user's file or as in a cluster.
func (n namespace) manifest(r random) object {
	labels := n.labels
	if r.chance(50) {
		labels = n.seen()
	}
	metadata := object{"name": n.name}
	if len(labels) > 0 {
		metadata["labels"] = labels
	}
	return object{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
}

// newNamespace draws a namespace, usually one with injection.
func newNamespace(r random, m *installation) namespace {
	name := one(r, "shop", "shop", "shop", "default", "payments", "istio-system", one(r, "istio-config", "mesh-system"))
	if r.chance(4) {
		name = one(r, "kube-system", "kube-public", "kube-node-lease", "local-path-storage")
	}
	ns := namespace{name: name, labels: map[string]string{}, declared: !r.chance(3)}
	if !ns.declared {
		return ns
	}
	if r.breaking && r.chance(90) {
		ns.labels["istio.io/rev"] = one(r, m.revisions()...)
		return ns
	}
	kind := r.IntN(100)
	if kind < 52 || kind >= 90 {
		ns.labels["istio-injection"] = one(r, often(12, "enabled", "disabled", "true", "", "Enabled")...)
	}
	if kind >= 45 && kind < 80 || kind >= 95 {
		ns.labels["istio.io/rev"] = revisionLabel(r, m)
	}
	if r.chance(5) {
		ns.labels["istio.io/dataplane-mode"] = one(r, "ambient", "none")
	}
	if r.chance(20) {
		ns.labels["team"] = one(r, "payments", "search")
	}
	return ns
}

// revisionLabel usually names an existing revision.
func revisionLabel(r random, m *installation) string {
	if r.chance(12) {
		return one(r, "gone", "default", "")
	}
	return one(r, m.revisions()...)
}
