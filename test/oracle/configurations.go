package main

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// configuration is a MutatingWebhookConfiguration of the cluster.
type configuration = *admissionregistrationv1.MutatingWebhookConfiguration

// servedBy finds the istiod behind a webhook's Service; nil for another product's webhook.
func servedBy(planes []*controlPlane, webhook *admissionregistrationv1.MutatingWebhook) (*controlPlane, error) {
	service := webhook.ClientConfig.Service
	if service == nil || !strings.HasPrefix(service.Name, "istiod") {
		return nil, nil
	}
	for _, plane := range planes {
		name := "istiod"
		if plane.revision != "" {
			name += "-" + plane.revision
		}
		if service.Name == name && service.Namespace == plane.namespace {
			return plane, nil
		}
	}
	return nil, fmt.Errorf("webhook %s calls %s/%s, which is not installed", webhook.Name, service.Namespace, service.Name)
}

// configurationsOf returns the configurations of all control planes, some of them edited by hand, and occasionally one
// of another product.
func configurationsOf(r random, planes []*controlPlane) []configuration {
	var all []configuration
	for _, plane := range planes {
		for _, c := range plane.configurations {
			all = append(all, c.DeepCopy())
		}
	}
	if r.chance(10) {
		editByHand(r, one(r, all...))
	}
	if r.chance(10) {
		all = append(all, foreignConfiguration())
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// editByHand changes selectors as people do. `istioctl tag set default` disables the old configuration with the
// selectors of istioctl/pkg/tag/util.go DeactivateIstioInjectionWebhook.
func editByHand(r random, c configuration) {
	if r.chance(20) {
		inert := metav1.LabelSelector{MatchLabels: map[string]string{"istio.io/deactivated": "never-match"}}
		for i := range c.Webhooks {
			c.Webhooks[i].NamespaceSelector, c.Webhooks[i].ObjectSelector = inert.DeepCopy(), inert.DeepCopy()
		}
		return
	}
	webhook := &c.Webhooks[r.IntN(len(c.Webhooks))]
	is := func(key string, operator metav1.LabelSelectorOperator, values ...string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
	}
	switch r.IntN(7) {
	case 0:
		webhook.NamespaceSelector = nil
	case 1:
		webhook.ObjectSelector = nil
	case 2:
		webhook.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": "payments"}}
	case 3:
		webhook.NamespaceSelector = is("kubernetes.io/metadata.name", metav1.LabelSelectorOpIn, "shop", "default")
	case 4:
		webhook.ObjectSelector = is("app", metav1.LabelSelectorOpExists)
	case 5:
		webhook.NamespaceSelector = is("istio-injection", metav1.LabelSelectorOpNotIn, "disabled")
	case 6:
		webhook.ObjectSelector = is("sidecar.istio.io/inject", metav1.LabelSelectorOpIn, "true", "")
	}
}

// foreignConfiguration belongs to another product and must not be treated as Istio's.
func foreignConfiguration() configuration {
	path, port := "/mutate", int32(443)
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: "istio-lookalike", Labels: map[string]string{"app": "lookalike"}},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "mutate.example.com",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{
				Name: "lookalike", Namespace: "default", Path: &path, Port: &port}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}}}}},
	}
}
