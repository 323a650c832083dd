package main

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// casesPerInstallation neighbouring cases share the installed control planes, because rendering charts is expensive.
const casesPerInstallation = 64

// cases generates the cases of one seed.
type cases struct {
	seed      uint64
	breaking  bool
	runner    *dryRunner
	installed *installation
	block     uint64
	// replacements replace the pods of their cases.
	replacements map[uint64]replacement
}

func newCases(seed uint64, breaking bool) *cases { return &cases{seed: seed, breaking: breaking} }

func (c *cases) close() {
	if c.runner != nil {
		c.runner.close()
	}
}

// at generates the case of an index; it depends only on the seed and the index.
func (c *cases) at(index uint64) (*Case, error) {
	if err := c.enter(index / casesPerInstallation); err != nil {
		return nil, err
	}
	r := newRandom(c.seed, index<<1, c.breaking)
	ns := newNamespace(r, c.installed)
	configurations := configurationsOf(r, c.installed.planes)
	hooks, err := hooksOf(c.installed.planes, configurations)
	if err != nil {
		return nil, err
	}
	pod, err := sentPod(r, c.installed, ns)
	if err != nil {
		return nil, err
	}
	policies, err := newPolicies(r, c.installed, ns, pod)
	if err != nil {
		return nil, err
	}
	w := world{planes: c.installed.planes, hooks: hooks, namespaceLabels: ns.seen(), policies: policies, cni: c.installed.cni}
	ports := portsOf(r, pod)
	if other, ok := c.replacements[index]; ok {
		pod, ports = other.Pod, append(ports, other.Ports...)
		setDefaults(pod)
	}
	answer, err := w.evaluate(pod, ports, c.runner)
	if err != nil {
		return nil, err
	}
	cluster, err := clusterOf(r, ns, configurations, policies)
	return &Case{Seed: c.seed, Index: index, cluster: cluster, Pod: pod, Answer: answer, planes: c.installed.planes}, err
}

// sentPod is a pod as the API server sends it to the mutating webhooks.
func sentPod(r random, m *installation, ns namespace) (*corev1.Pod, error) {
	pod := newPod(r, m, ns)
	setDefaults(pod)
	mountToken(pod)
	return preInject(r, m, pod)
}

// enter prepares the control planes of a block of cases.
func (c *cases) enter(block uint64) (err error) {
	if c.runner == nil {
		if c.runner, err = newDryRunner(); err != nil {
			return err
		}
	}
	if c.installed == nil || c.block != block {
		c.block = block
		c.installed, err = newInstallation(newRandom(c.seed, block<<1|1, c.breaking), fmt.Sprintf("%d-%d", c.seed, block))
	}
	return err
}

// clusterOf lists the manifests without the control planes' ConfigMaps, in no particular order.
func clusterOf(r random, ns namespace, configurations []configuration, policies []json.RawMessage) ([]json.RawMessage, error) {
	var cluster []json.RawMessage
	for _, c := range configurations {
		data, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		cluster = append(cluster, data)
	}
	if ns.declared {
		data, err := json.Marshal(ns.manifest(r))
		if err != nil {
			return nil, err
		}
		cluster = append(cluster, data)
	}
	cluster = append(append(cluster, policies...), some(r, 6, irrelevantObjects...)...)
	r.Shuffle(len(cluster), func(i, j int) { cluster[i], cluster[j] = cluster[j], cluster[i] })
	return cluster, nil
}
