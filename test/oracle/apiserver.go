package main

import (
	"encoding/json"
	"fmt"
	"maps"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// hook is one webhook of the cluster and the istiod that serves it.
type hook struct {
	configuration string
	webhook       *admissionregistrationv1.MutatingWebhook
	plane         *controlPlane
}

// matches evaluates both selectors as the API server does
// (k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/{namespace,object}/matcher.go). A selector that a manifest
// omits defaults to {}, which matches everything.
func (h hook) matches(namespace, object map[string]string) (bool, error) {
	for _, side := range []struct {
		selector *metav1.LabelSelector
		labels   map[string]string
	}{{h.webhook.NamespaceSelector, namespace}, {h.webhook.ObjectSelector, object}} {
		if side.selector == nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(side.selector)
		if err != nil {
			return false, fmt.Errorf("%s %s: %w", h.configuration, h.webhook.Name, err)
		}
		if !selector.Matches(labels.Set(side.labels)) {
			return false, nil
		}
	}
	return true, nil
}

// path is where the API server sends the review.
func (h hook) path() string {
	if service := h.webhook.ClientConfig.Service; service != nil && service.Path != nil {
		return *service.Path
	}
	return "/"
}

// admission is the path of one pod through the mutating webhooks.
type admission struct {
	hooks     []hook
	namespace map[string]string
	pod       *corev1.Pod
	calls     []Call
	denied    string

	changed        bool
	invoked, again map[int]bool // webhooks with reinvocationPolicy IfNeeded: already called; to be called again
}

// run calls the webhooks in order. If one of them changed the pod, it calls those again that ask for it and precede the
// change (k8s.io/apiserver/pkg/admission/reinvocation.go and
// .../plugin/webhook/mutating/{dispatcher,reinvocationcontext}.go).
func (a *admission) run() error {
	a.invoked, a.again = map[int]bool{}, map[int]bool{}
	if err := a.round(false); err != nil || a.denied != "" || !a.changed {
		return err
	}
	if mountToken(a.pod) {
		a.callAgain()
	}
	return a.round(true)
}

func (a *admission) round(again bool) error {
	for i, h := range a.hooks {
		if again && !a.again[i] {
			continue
		}
		called, changed, err := a.call(i, again)
		if err != nil || a.denied != "" {
			return err
		}
		if changed {
			a.changed = true
			a.callAgain()
		}
		policy := h.webhook.ReinvocationPolicy
		if called && policy != nil && *policy == admissionregistrationv1.IfNeededReinvocationPolicy {
			a.invoked[i] = true
		}
	}
	return nil
}

// callAgain marks all webhooks called so far, because the pod changed after them.
func (a *admission) callAgain() {
	maps.Copy(a.again, a.invoked)
	clear(a.invoked)
}

// call calls one webhook if its selectors match the pod in its current state.
func (a *admission) call(i int, again bool) (called, changed bool, err error) {
	h := a.hooks[i]
	match, err := h.matches(a.namespace, a.pod.Labels)
	if err != nil || !match {
		return false, false, err
	}
	before, err := json.Marshal(a.pod)
	if err != nil {
		return false, false, err
	}
	patch, denied, err := h.plane.istiod.call(h.path(), a.pod.Namespace, before)
	if err != nil {
		return false, false, err
	}
	a.calls = append(a.calls, Call{Configuration: h.configuration, Webhook: h.webhook.Name, Revision: h.plane.name(),
		Patched: len(patch) > 0, Again: again})
	if a.denied = denied; denied != "" || len(patch) == 0 {
		return true, false, nil
	}
	a.pod, changed, err = applyPatch(before, patch)
	return true, changed, err
}

// applyPatch applies a webhook's JSON Patch, decodes the pod and sets defaults, as the API server does.
func applyPatch(before, patch []byte) (*corev1.Pod, bool, error) {
	operations, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, false, fmt.Errorf("patch %s: %w", patch, err)
	}
	after, err := operations.Apply(before)
	if err != nil {
		return nil, false, fmt.Errorf("apply %s: %w", patch, err)
	}
	pod := &corev1.Pod{}
	if err := json.Unmarshal(after, pod); err != nil {
		return nil, false, fmt.Errorf("patched pod %s: %w", after, err)
	}
	setDefaults(pod)
	final, err := json.Marshal(pod)
	return pod, string(final) != string(before), err
}
