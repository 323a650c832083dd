package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/config/kube/ingress"
	"istio.io/istio/pilot/pkg/model"
	kubecontroller "istio.io/istio/pilot/pkg/serviceregistry/kube/controller"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	"istio.io/istio/pkg/config/schema/gvk"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/util/protomarshal"
)

type ignoreUpdates struct{}

func (ignoreUpdates) ConfigUpdate(*model.PushRequest) {}

// convert runs Istio's Ingress controller over the objects of a cluster (pilot/pkg/config/kube/ingress).
func convert(cluster []runtime.Object) ([]any, error) {
	settings := protomarshal.Clone(mesh.DefaultMeshConfig())
	settings.IngressControllerMode = meshconfig.MeshConfig_DEFAULT
	client, stop := kube.NewFakeClient(cluster...), make(chan struct{})
	defer close(stop)
	options := kubecontroller.Options{DomainSuffix: "cluster.local", KrtDebugger: krt.GlobalDebugHandler}
	controller := ingress.NewController(client, meshwatcher.NewTestWatcher(settings), options, ignoreUpdates{})
	client.RunAndWait(stop)
	go controller.Run(stop)
	if !kube.WaitForCacheSync("conversion", stop, controller.HasSynced) {
		return nil, fmt.Errorf("Istio's Ingress controller does not get ready")
	}
	var objects []any
	for _, kind := range []config.GroupVersionKind{gvk.Gateway, gvk.VirtualService} {
		for _, made := range controller.List(kind, "") {
			object, err := crd.ConvertConfig(made)
			if err != nil {
				return nil, fmt.Errorf("%s %s/%s: %w", kind.Kind, made.Namespace, made.Name, err)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}
