package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	"istio.io/istio/pkg/kube/inject"
)

// istiod is one running injector: Istio's own webhook behind its own HTTP handler.
type istiod struct {
	mux      *http.ServeMux
	mesh     *meshconfig.MeshConfig
	env      *model.Environment
	revision string
	native   features.NativeSidecarMode
}

// staticWatcher provides the injector's configuration (pkg/kube/inject/watcher.go Watcher).
type staticWatcher struct {
	config *inject.Config
	values string
}

func (w staticWatcher) SetHandler(func(*inject.Config, string) error) {}
func (w staticWatcher) Run(<-chan struct{})                           {}
func (w staticWatcher) Get() (*inject.Config, string, error)          { return w.config, w.values, nil }

// newIstiod starts an injector from the ConfigMaps, as pilot/pkg/bootstrap/sidecarinjector.go does. Native sidecars
// follow istiod's environment (values pilot.env). "auto" means nodes that all support them (webhook.go
// DetectNativeSidecar), so the webhook is built with the feature off and called with it set.
func newIstiod(plane *controlPlane, configs map[string]string) (*istiod, error) {
	meshConfig, err := mesh.ApplyMeshConfig(configs["mesh"], mesh.DefaultMeshConfig())
	if err != nil {
		return nil, fmt.Errorf("mesh configuration: %w", err)
	}
	config, err := inject.UnmarshalConfig([]byte(configs["config"]))
	if err != nil {
		return nil, fmt.Errorf("injector configuration: %w", err)
	}
	d := &istiod{mux: http.NewServeMux(), mesh: meshConfig, revision: plane.name(), native: features.NativeSidecarModeEnabled,
		env: &model.Environment{Watcher: meshwatcher.NewTestWatcher(meshConfig)}}
	if pilot, _ := plane.values["pilot"].(object); pilot != nil {
		if env, _ := pilot["env"].(object); env != nil && env["ENABLE_NATIVE_SIDECARS"] == "false" {
			d.native = features.NativeSidecarModeDisabled
		}
	}
	features.EnableNativeSidecars = features.NativeSidecarModeDisabled
	push, err := d.push(nil)
	if err != nil {
		return nil, err
	}
	d.env.SetPushContext(push)
	_, err = inject.NewWebhook(inject.WebhookParameters{
		Watcher: staticWatcher{&config, configs["values"]}, Env: d.env, Mux: d.mux, Revision: d.revision})
	return d, err
}

// call sends an AdmissionReview to Istio's handler. The patch is empty if istiod does not change the pod; denied is its
// message if it denies the pod.
func (d *istiod) call(path, namespace string, pod []byte) (patch []byte, denied string, err error) {
	review := admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{UID: "1", Namespace: namespace, Operation: admissionv1.Create,
			Kind:     metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
			Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Object:   runtime.RawExtension{Raw: pod}}}
	body, err := json.Marshal(review)
	if err != nil {
		return nil, "", err
	}
	features.EnableNativeSidecars = d.native
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	if panicked := serve(d.mux, recorder, request); panicked != "" {
		return nil, "failed calling webhook: EOF (the injector panicked: " + panicked + ")", nil
	}
	return readReview(recorder)
}

// serve answers a request as net/http's server does: a panic of the handler ends the connection, not the process, and
// the API server denies the pod because of failurePolicy Fail. Istio's injector does panic (README.md).
func serve(handler http.Handler, recorder *httptest.ResponseRecorder, request *http.Request) (panicked string) {
	defer func() {
		if reason := recover(); reason != nil {
			panicked = fmt.Sprint(reason)
		}
	}()
	handler.ServeHTTP(recorder, request)
	return ""
}

func readReview(recorder *httptest.ResponseRecorder) ([]byte, string, error) {
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(recorder.Body.Bytes(), &review); err != nil || review.Response == nil {
		return nil, "", fmt.Errorf("injector answered %d %q: %v", recorder.Code, recorder.Body.String(), err)
	}
	if !review.Response.Allowed {
		if review.Response.Result == nil || review.Response.Result.Message == "" {
			return nil, "", fmt.Errorf("injector denied without a text: %s", recorder.Body.String())
		}
		return nil, stableText(review.Response.Result.Message), nil
	}
	return review.Response.Patch, "", nil
}
