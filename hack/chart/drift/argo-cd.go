//go:build ignore

// What Argo CD would call "OutOfSync": its own diff of manifests against a cluster, one line for each object that differs.
// Exit code 1 if there is one.
// Usage: argo-cd client-side|server-side KUBECONFIG MANIFESTS
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2/textlogger"
)

// Argo CD applies by this name, and with --force-conflicts.
const manager = "argocd-controller"

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: argo-cd client-side|server-side KUBECONFIG MANIFESTS"))
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[2])
	fail(err)
	cluster, err := connect(config)
	fail(err)
	options := []diff.Option{}
	if os.Args[1] == "server-side" {
		_, parser, err := (&kube.KubectlCmd{Log: textlogger.NewLogger(textlogger.NewConfig()), Tracer: tracing.NopTracer{}}).LoadOpenAPISchema(config)
		fail(err)
		options = append(options, diff.WithServerSideDiff(true), diff.WithManager(manager), diff.WithGVKParser(parser), diff.WithServerSideDryRunner(cluster))
	}
	differing := 0
	for _, object := range read(os.Args[3]) {
		live, err := cluster.get(object)
		fail(err)
		result, err := diff.Diff(object, live, options...)
		fail(err)
		if result.Modified {
			differing++
			fmt.Printf("%s %s differs\n  live     %s\n  expected %s\n", object.GetKind(), object.GetName(), result.NormalizedLive, result.PredictedLive)
		}
	}
	if differing > 0 {
		os.Exit(1)
	}
}

func read(file string) []*unstructured.Unstructured {
	opened, err := os.Open(file)
	fail(err)
	decoder := yaml.NewYAMLOrJSONDecoder(opened, 4096)
	objects := []*unstructured.Unstructured{}
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); err == io.EOF {
			return objects
		} else {
			fail(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

type cluster struct {
	client   dynamic.Interface
	discover *discovery.DiscoveryClient
}

func connect(config *rest.Config) (*cluster, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	discover, err := discovery.NewDiscoveryClientForConfig(config)
	return &cluster{client, discover}, err
}

func (c *cluster) of(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	resource, err := kube.ServerResourceForGroupVersionKind(c.discover, kind, "get")
	if err != nil {
		return nil, err
	}
	return kube.ToResourceInterface(c.client, resource, kind.GroupVersion().WithResource(resource.Name), object.GetNamespace()), nil
}

func (c *cluster) get(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resources, err := c.of(object)
	if err != nil {
		return nil, err
	}
	return resources.Get(context.Background(), object.GetName(), meta.GetOptions{})
}

// Run is the dry run of a server-side diff.
func (c *cluster) Run(ctx context.Context, object *unstructured.Unstructured, manager string) (string, error) {
	resources, err := c.of(object)
	if err != nil {
		return "", err
	}
	options := meta.ApplyOptions{FieldManager: manager, Force: true, DryRun: []string{meta.DryRunAll}}
	predicted, err := resources.Apply(ctx, object.GetName(), object, options)
	if err != nil {
		return "", err
	}
	text, err := predicted.MarshalJSON()
	return string(text), err
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "argo-cd:", err)
		os.Exit(2)
	}
}
