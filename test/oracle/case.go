package main

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
)

// Case is one line of the output: a cluster, a pod and Istio's answer. The line also has "cluster".
type Case struct {
	Seed     uint64      `json:"seed"`
	Index    uint64      `json:"index"`
	Installs []string    `json:"installs,omitempty"` // with --share only
	Pod      *corev1.Pod `json:"pod"`
	Answer   Answer      `json:"answer"`

	planes  []*controlPlane   // whose ConfigMaps precede the rest of the cluster
	cluster []json.RawMessage // written by lineWriter
}

// Answer is what Istio's own code says about the pod.
type Answer struct {
	// Webhooks are the calls in the order in which the API server makes them; a second call is marked.
	Webhooks []Call `json:"webhooks"`
	// Denied is the injector's text where injection fails, and with it the creation of the pod.
	Denied string `json:"denied,omitempty"`
	// Invalid says why the API server refuses the pod that injection left.
	Invalid string `json:"invalid,omitempty"`
	// Injected: in the end the pod has an istio-proxy and the annotation sidecar.istio.io/status.
	Injected bool `json:"injected"`
	// Revision is the one that injected last (sidecar.istio.io/status).
	Revision string `json:"revision,omitempty"`
	// Probes has one entry for every probe and lifecycle hook of the pod as it was sent.
	Probes []ProbeAnswer `json:"probes"`
	// Probers is ISTIO_KUBE_APP_PROBERS of the proxy: what the agent serves.
	Probers json.RawMessage `json:"probers,omitempty"`
	// Agent is Istio's agent, where the pod is injected.
	Agent *agent `json:"agent,omitempty"`
	// Redirection is what sets up the redirection: istio-init, cni or none.
	Redirection string `json:"redirection,omitempty"`
	// NeverStarts says why setting up the redirection fails; Captured is then absent.
	NeverStarts string `json:"neverStarts,omitempty"`
	// Captured: is a new connection from the node to the pod's port redirected to Envoy's inbound listener?
	Captured map[string]bool `json:"captured,omitempty"`
	// Modes is the inbound mutual TLS mode for each port, as istiod of Revision computes it.
	Modes map[string]string `json:"modes,omitempty"`
}

// Call is one webhook that the API server calls for the pod.
type Call struct {
	Configuration string `json:"configuration"`
	Webhook       string `json:"webhook"`
	Revision      string `json:"revision"`
	Patched       bool   `json:"patched"`
	Again         bool   `json:"again,omitempty"`
}

// ProbeAnswer is the outcome for one probe or hook.
type ProbeAnswer struct {
	Container string `json:"container"`
	Init      bool   `json:"init"`
	Slot      string `json:"slot"`
	Rewritten bool   `json:"rewritten"`
	After     any    `json:"after,omitempty"`
}
