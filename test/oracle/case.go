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

// Answer is the result of Istio's own code for the pod.
type Answer struct {
	// Webhooks are the calls in the API server's order; a second call is marked.
	Webhooks []Call `json:"webhooks"`
	// Denied is the injector's message if injection fails, and with it the creation of the pod.
	Denied string `json:"denied,omitempty"`
	// Invalid is why the API server refuses the pod after injection.
	Invalid string `json:"invalid,omitempty"`
	// Injected is true if the final pod has an istio-proxy and the annotation sidecar.istio.io/status.
	Injected bool `json:"injected"`
	// Revision is the last revision that injected the pod (sidecar.istio.io/status).
	Revision string `json:"revision,omitempty"`
	// Probes has one entry for every probe and lifecycle hook of the submitted pod.
	Probes []ProbeAnswer `json:"probes"`
	// Probers is ISTIO_KUBE_APP_PROBERS of the proxy: the probes that the agent serves.
	Probers json.RawMessage `json:"probers,omitempty"`
	// Agent is Istio's agent, where the pod is injected.
	Agent *agent `json:"agent,omitempty"`
	// Redirection is the component that sets up redirection: istio-init, cni or none.
	Redirection string `json:"redirection,omitempty"`
	// NeverStarts is why setting up redirection fails; Captured is then absent.
	NeverStarts string `json:"neverStarts,omitempty"`
	// Captured is whether a new connection from the node to the port is redirected to Envoy's inbound listener.
	Captured map[string]bool `json:"captured,omitempty"`
	// Modes is the inbound mutual TLS mode of each port, as istiod of Revision computes it.
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
