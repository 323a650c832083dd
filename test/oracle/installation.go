package main

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// installation is a set of control planes that share a cluster.
type installation struct {
	planes []*controlPlane
	cni    bool
}

// revisions and tags are the effective values of a label istio.io/rev.
func (m *installation) revisions() []string {
	var names []string
	for _, plane := range m.planes {
		names = append(names, plane.name())
		names = append(names, tagsOf(plane.values)...)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func tagsOf(values object) []string {
	var tags []string
	list, _ := values["revisionTags"].([]any)
	for _, tag := range list {
		tags = append(tags, tag.(string))
	}
	return tags
}

// newInstallation draws one to three control planes. Occasionally two of them serve the default revision.
func newInstallation(r random, id string) (*installation, error) {
	m := &installation{cni: r.chance(15)}
	revisions := [][]string{{""}, {""}, {""}, {"", "canary"}, {"", "canary"}, {"1-31-0"}, {"1-31-0", "1-32-0"}, {"", "1-31-0", "canary"}}
	draw := planeDraw{random: r, cni: m.cni, again: r.chance(20), namespace: one(r, often(4, "istio-system", "mesh-system")...)}
	for i, revision := range one(r, revisions...) {
		plane, err := draw.plane(fmt.Sprintf("%s/%d", id, i), revision)
		if err != nil {
			return nil, err
		}
		m.planes = append(m.planes, plane)
	}
	return m, nil
}

// planeDraw is shared by the control planes of a cluster.
type planeDraw struct {
	random
	namespace         string
	cni, again        bool
	defaultTagIsTaken bool
}

// plane draws one control plane. A revisioned one may own the tag "default", by either chart.
func (d *planeDraw) plane(id, revision string) (*controlPlane, error) {
	values := randomValues(d.random, revision, d.namespace, d.cni)
	if d.again && !d.chance(20) {
		put(values, "IfNeeded", "sidecarInjectorWebhook", "reinvocationPolicy")
	}
	options := installOptions{edit: func(c *corev1.ConfigMap) error { return editConfigMap(d.random, c) }}
	if revision != "" && !d.defaultTagIsTaken && d.chance(60) {
		d.defaultTagIsTaken = true
		if options.defaultChart = d.chance(25); !options.defaultChart {
			values["revisionTags"] = append(listOf(values["revisionTags"]), "default")
		}
	}
	plane, err := install(id, d.namespace, values, options)
	if err != nil {
		return nil, fmt.Errorf("values %v: %w", values, err)
	}
	return plane, nil
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

// hooksOf returns the cluster's webhooks in calling order: by name of the configuration, then by position
// (k8s.io/apiserver/pkg/admission/configuration/mutating_webhook_manager.go).
func hooksOf(planes []*controlPlane, configurations []configuration) ([]hook, error) {
	slices.SortFunc(configurations, func(a, b configuration) int { return strings.Compare(a.Name, b.Name) })
	var hooks []hook
	for _, c := range configurations {
		for i := range c.Webhooks {
			plane, err := servedBy(planes, &c.Webhooks[i])
			if err != nil {
				return nil, err
			}
			if plane != nil {
				hooks = append(hooks, hook{c.Name, &c.Webhooks[i], plane})
			}
		}
	}
	return hooks, nil
}
