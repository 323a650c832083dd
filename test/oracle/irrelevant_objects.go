package main

import "encoding/json"

// irrelevantObjects must not change any answer: client-side policies, kinds that matter elsewhere, and policies of
// Istio before 1.6.
var irrelevantObjects = []json.RawMessage{
	json.RawMessage(`{"apiVersion":"authentication.istio.io/v1alpha1","kind":"MeshPolicy","metadata":{"name":"default"},"spec":{"peers":[{"mtls":{}}]}}`),
	json.RawMessage(`{"apiVersion":"authentication.istio.io/v1alpha1","kind":"Policy","metadata":{"name":"default","namespace":"shop"},"spec":{"peers":[{"mtls":{"mode":"STRICT"}}]}}`),
	json.RawMessage(`{"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"web","namespace":"shop"},"spec":{"host":"web","trafficPolicy":{"tls":{"mode":"DISABLE"}}}}`),
	json.RawMessage(`{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"nothing","namespace":"shop"},"spec":{}}`),
	json.RawMessage(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop"},"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":8080}]}}`),
	json.RawMessage(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other","labels":{"istio-injection":"enabled"}}}`),
	json.RawMessage(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"istio-ca-root-cert","namespace":"shop"},"data":{"root-cert.pem":""}}`),
}
