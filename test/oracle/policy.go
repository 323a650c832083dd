package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	_ "unsafe" // for go:linkname

	"istio.io/client-go/pkg/apis/security/v1"
	"istio.io/istio/pilot/pkg/config/kube/crdclient"
	"istio.io/istio/pilot/pkg/config/memory"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/security/authn"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/gvk"
	corev1 "k8s.io/api/core/v1"
)

// visiblePolicies returns the PeerAuthentications that an istiod of that revision sees: the filter of
// pilot/pkg/config/kube/crdclient/client.go inRevision, then its translation.
func visiblePolicies(policies []json.RawMessage, revision string) ([]config.Config, error) {
	var visible []config.Config
	for _, data := range policies {
		policy := &v1.PeerAuthentication{}
		if err := json.Unmarshal(data, policy); err != nil {
			return nil, fmt.Errorf("PeerAuthentication %s: %w", data, err)
		}
		if config.LabelsInRevision(policy.Labels, revision) {
			visible = append(visible, crdclient.TranslateObject(policy, gvk.PeerAuthentication, "cluster.local"))
		}
	}
	return visible, nil
}

// initAuthenticationPolicies is how istiod takes PeerAuthentications in (pilot/pkg/model/authentication.go); the push
// context does nothing else with them (push_context.go initAuthnPolicies). It is not exported, and the exported
// PushContext.InitContext needs all of istiod's controllers.
//
//go:linkname initAuthenticationPolicies istio.io/istio/pilot/pkg/model.initAuthenticationPolicies
func initAuthenticationPolicies(env *model.Environment) *model.AuthenticationPolicies

// push is istiod's view of the configuration, as far as injection and authentication read it.
func (d *istiod) push(policies []config.Config) (*model.PushContext, error) {
	store := memory.MakeSkipValidation(collections.Pilot)
	for _, policy := range policies {
		// The store sets a missing creation time to now; from the API server it would be the zero time, equal for all.
		if policy.CreationTimestamp.IsZero() {
			policy.CreationTimestamp = time.Unix(0, 0)
		}
		if _, err := store.Create(policy); err != nil {
			return nil, fmt.Errorf("PeerAuthentication %s/%s: %w", policy.Namespace, policy.Name, err)
		}
	}
	d.env.ConfigStore = store
	push := model.NewPushContext()
	push.Mesh = d.mesh
	push.ProxyConfigs = model.GetProxyConfigs(store, d.mesh)
	push.AuthnPolicies = initAuthenticationPolicies(d.env)
	return push, nil
}

// modes returns istiod's mutual TLS mode of each port of an injected pod (pilot/pkg/security/authn/factory.go
// NewPolicyApplier, policy_applier.go ComposePeerAuthentication).
func (d *istiod) modes(policies []json.RawMessage, pod *corev1.Pod, ports []int) (map[string]string, error) {
	visible, err := visiblePolicies(policies, d.revision)
	if err != nil {
		return nil, err
	}
	push, err := d.push(visible)
	if err != nil {
		return nil, err
	}
	proxy := &model.Proxy{Type: model.SidecarProxy, ConfigNamespace: pod.Namespace, Labels: pod.Labels, Metadata: &model.NodeMetadata{}}
	applier := authn.NewPolicyApplier(push, proxy, nil)
	answer := map[string]string{}
	for _, port := range ports {
		answer[strconv.Itoa(port)] = applier.GetMutualTLSModeForPort(uint32(port)).String()
	}
	return answer, nil
}
