package main

// newLabels draws the pod's labels.
func newLabels(r random, m *installation) map[string]string {
	labels := map[string]string{}
	maybe := func(percent int, key string, values ...string) {
		if r.chance(percent) {
			labels[key] = one(r, values...)
		}
	}
	maybe(80, "app", "web", "web", "api")
	maybe(20, "app.kubernetes.io/name", "web", "shop")
	maybe(25, "version", "v1", "v2")
	maybe(15, "tier", "front", "back")
	maybe(8, "batch", "yes", "")
	maybe(r.or(28, 5), "sidecar.istio.io/inject", "true", "true", "true", "true", "true", "true", "false", "True", "False", "no", "", "1", "yes")
	maybe(3, "istio.io/dataplane-mode", "ambient", "none")
	maybe(4, "security.istio.io/tlsMode", "disabled", "istio")
	maybe(4, "service.istio.io/canonical-name", "web", "renamed")
	maybe(3, "topology.istio.io/network", "network-2")
	if r.chance(15) {
		labels["istio.io/rev"] = revisionLabel(r, m)
	}
	return labels
}

// newAnnotations draws the annotations that Istio reads, with odd and with invalid values.
func newAnnotations(r random) map[string]string {
	annotations := map[string]string{}
	maybe := func(percent int, key string, values ...string) {
		if r.chance(percent) {
			annotations[key] = one(r, values...)
		}
	}
	maybe(10, "sidecar.istio.io/inject", "true", "true", "false", "True", "no", "")
	maybe(r.or(35, 8), "sidecar.istio.io/rewriteAppHTTPProbers", "true", "false", "false", "1", "0", "t", "F", "True", "FALSE", "yes", "no", "", "tRUE", " true")
	maybe(6, "inject.istio.io/templates", "sidecar", "gateway", "grpc-agent", "grpc-simple", "sidecar,grpc-agent", " sidecar ", "nope", "", "gateway,sidecar", "proxy")
	maybe(6, "status.sidecar.istio.io/port", "15020", "16020", "16020", "0", "8081", "15021", "08080", " 16020", one(r, "abc", "70000"))
	maybe(10, "traffic.sidecar.istio.io/includeInboundPorts", "*", "", "8080", "8080,8081", "8081, 9090", "15020,8080", "*", "8080, 8081", "8081", "0,8080", " ", one(r, "8080,", "http", "+8080"))
	maybe(12, "traffic.sidecar.istio.io/excludeInboundPorts", "8081", "8081,9090", " 8081 , 9000 ", "", "15020", "8080", "8081,8081", "9000", one(r, "08081", "017620"), "0", one(r, "8080-8090", "8080,", "web", "65536"))
	maybe(5, "sidecar.istio.io/interceptionMode", "REDIRECT", "TPROXY", "TPROXY", "NONE", "NONE", "redirect")
	maybe(6, "proxy.istio.io/config", proxyConfigs...)
	maybe(8, "sidecar.istio.io/nativeSidecar", "true", "false", "false", "maybe")
	maybe(3, "traffic.sidecar.istio.io/excludeInterfaces", "eth0", "eth1", "eth0,net1", "")
	maybe(2, "istio.io/reroute-virtual-interfaces", "eth0", "net1")
	maybe(2, "traffic.sidecar.istio.io/kubevirtInterfaces", "eth0", "k6t0")
	maybe(2, "traffic.sidecar.istio.io/includeOutboundIPRanges", "10.244.0.0/16", "10.0.0.1", "")
	maybe(3, "prometheus.io/port", "9090", "15020", "15021", "15090", "http", "15006")
	maybe(3, "prometheus.io/scrape", "true", "false")
	maybe(2, "istio.io/rev", "default", "elsewhere")
	maybe(2, "ambient.istio.io/redirection", "enabled")
	maybe(2, "sidecar.istio.io/status", "{}", "not json")
	return annotations
}

var proxyConfigs = []string{
	"interceptionMode: TPROXY", "interceptionMode: NONE", "statusPort: 16020", "holdApplicationUntilProxyStarts: true",
	"{}", "concurrency: 2", "proxyMetadata:\n  ISTIO_META_DNS_CAPTURE: \"true\"", "statusPort: [", "unknownField: 1",
}
