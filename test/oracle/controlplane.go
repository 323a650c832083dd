package main

import (
	"encoding/json"
	"fmt"
	"maps"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// controlPlane is one installed istiod: its revision, its rendered charts and the injector itself.
type controlPlane struct {
	id             string
	revision       string // of the chart: "" for the default installation
	namespace      string
	values         object
	configMaps     []json.RawMessage
	configurations []*admissionregistrationv1.MutatingWebhookConfiguration
	istiod         *istiod
}

// name is istiod's own name of its revision: environment REVISION of the chart's deployment.yaml.
func (p *controlPlane) name() string {
	if p.revision == "" {
		return "default"
	}
	return p.revision
}

// installOptions: also the chart charts/default, which makes the tag "default", and changes to the ConfigMaps.
type installOptions struct {
	defaultChart bool
	edit         func(*corev1.ConfigMap) error
}

// install renders the charts and starts the injector from the resulting ConfigMaps.
func install(id, namespace string, values object, options installOptions) (*controlPlane, error) {
	revision, _ := values["revision"].(string)
	plane := &controlPlane{id: id, revision: revision, namespace: namespace, values: values}
	objects, err := renderChart("istio-control/istio-discovery", namespace, values)
	if err != nil {
		return nil, err
	}
	if options.defaultChart {
		tag, err := renderChart("default", namespace, object{"revision": revision})
		if err != nil {
			return nil, err
		}
		objects = append(objects, tag...)
	}
	configs := map[string]string{}
	for _, data := range objects {
		if err := plane.take(data, configs, options.edit); err != nil {
			return nil, err
		}
	}
	plane.istiod, err = newIstiod(plane, configs)
	return plane, err
}

// take sorts one rendered object into the control plane; configs collects the data of the ConfigMaps.
func (p *controlPlane) take(data []byte, configs map[string]string, edit func(*corev1.ConfigMap) error) error {
	var meta metav1.PartialObjectMetadata
	if err := json.Unmarshal(data, &meta); err != nil {
		return err
	}
	switch meta.Kind {
	case "MutatingWebhookConfiguration":
		configuration := &admissionregistrationv1.MutatingWebhookConfiguration{}
		p.configurations = append(p.configurations, configuration)
		return json.Unmarshal(data, configuration)
	case "ConfigMap":
		var configMap corev1.ConfigMap
		if err := json.Unmarshal(data, &configMap); err != nil {
			return err
		}
		if configMap.Data["mesh"] == "" && configMap.Data["config"] == "" {
			return nil // the chart also keeps its values in a ConfigMap
		}
		if edit != nil {
			if err := edit(&configMap); err != nil {
				return err
			}
		}
		maps.Copy(configs, configMap.Data)
		data, err := json.Marshal(configMap)
		p.configMaps = append(p.configMaps, data)
		return err
	}
	return fmt.Errorf("unexpected %s %s among the rendered objects", meta.Kind, meta.Name)
}
