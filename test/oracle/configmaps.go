package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// editData changes one text of a ConfigMap, as a person or another tool does.
type editData func(text string) (string, error)

// edits are the possible changes to the ConfigMaps of a control plane, by key.
var edits = map[string][]editData{
	"mesh":   {without("rootNamespace"), without("defaultConfig"), without("enablePrometheusMerge", "trustDomain"), nothing, asJSON},
	"config": {asBlockYAML, asJSON, without("alwaysInjectSelector", "neverInjectSelector"), without("defaultTemplates"), alias},
	"values": {withoutRewrite, asBlockYAML},
}

// editConfigMap occasionally changes one text.
func editConfigMap(r random, configMap *corev1.ConfigMap) error {
	for _, key := range slices.Sorted(maps.Keys(edits)) {
		text, ok := configMap.Data[key]
		if !ok || !r.chance(10) {
			continue
		}
		edited, err := one(r, edits[key]...)(text)
		if err != nil {
			return fmt.Errorf("edit %s of %s: %w", key, configMap.Name, err)
		}
		configMap.Data[key] = edited
	}
	return nil
}

func nothing(string) (string, error) { return "", nil }

func asJSON(text string) (string, error) {
	data, err := yaml.YAMLToJSON([]byte(text))
	return string(data), err
}

// asBlockYAML writes the text as kubectl edit and many tools do.
func asBlockYAML(text string) (string, error) { return edited(text, func(object) {}) }

// without drops fields.
func without(fields ...string) editData {
	return func(text string) (string, error) {
		return edited(text, func(o object) {
			for _, field := range fields {
				delete(o, field)
			}
		})
	}
}

// withoutRewrite: an absent value of rewriteAppHTTPProbe is false, though the chart's default is true
// (pkg/kube/inject/webhook.go applyRewrite).
func withoutRewrite(text string) (string, error) {
	return edited(text, func(o object) { delete(o["sidecarInjectorWebhook"].(object), "rewriteAppHTTPProbe") })
}

// alias gives a template another name, for which the chart has no value (pkg/kube/inject/inject.go Config.Aliases).
func alias(text string) (string, error) {
	return edited(text, func(o object) { o["aliases"] = object{"proxy": []any{"sidecar"}, "nope": []any{"gateway"}} })
}

func edited(text string, change func(object)) (string, error) {
	var content object
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		return "", err
	}
	change(content)
	data, err := yaml.Marshal(content)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		data, err = json.Marshal(content)
	}
	return string(data), err
}
