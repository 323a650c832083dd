package main

import (
	"fmt"
	"io/fs"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	loaderv2 "helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"

	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

// The charts, and their templates, that determine injection. The others (istiod's Deployment, roles, ...) are not
// rendered, which is the only difference to operator/pkg/helm/helm.go Render.
var chartTemplates = map[string][]string{
	"istio-control/istio-discovery": {"_helpers.tpl", "zzz_profile.yaml", "zzy_descope_legacy.yaml", "configmap.yaml",
		"istiod-injector-configmap.yaml", "mutatingwebhook.yaml", "revision-tags-mwc.yaml"},
	"default": {"_helpers.tpl", "zzz_profile.yaml", "mutatingwebhook.yaml"},
}

// loadChart reads one of Istio's charts from the copy that Istio embeds (manifests/manifest.go).
func loadChart(name string) (*chartv2.Chart, error) {
	root, wanted := "charts/"+name, map[string]bool{}
	for _, file := range chartTemplates[name] {
		wanted["templates/"+file] = true
	}
	var files []*archive.BufferedFile
	err := fs.WalkDir(manifests.FS, root, func(path string, entry fs.DirEntry, err error) error {
		inside := strings.TrimPrefix(path, root+"/")
		if err != nil || entry.IsDir() || strings.HasPrefix(inside, "templates/") && !wanted[inside] {
			return err
		}
		data, err := fs.ReadFile(manifests.FS, path)
		files = append(files, &archive.BufferedFile{Name: inside, Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return loaderv2.LoadFiles(files)
}

// renderChart returns the objects of a chart, as JSON, for the given values.
func renderChart(name, namespace string, values object) ([][]byte, error) {
	chart, err := loadChart(name)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", name, err)
	}
	options := common.ReleaseOptions{Name: "istio", Namespace: namespace}
	rendered, err := commonutil.ToRenderValues(chart, values, options, common.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("chart %s: values: %w", name, err)
	}
	files, err := engine.Render(chart, rendered)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", name, err)
	}
	var objects [][]byte
	for _, template := range chartTemplates[name] {
		text := files[chart.Name()+"/templates/"+template]
		found, err := documents(text)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %s: %w", name, template, err)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// documents splits YAML documents and turns each into JSON.
func documents(text string) ([][]byte, error) {
	var found [][]byte
	for _, document := range strings.Split("\n"+text, "\n---") {
		data, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return nil, err
		}
		if string(data) != "null" {
			found = append(found, data)
		}
	}
	return found, nil
}
