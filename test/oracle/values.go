package main

// randomValues returns the values of one installation: usually the defaults, with occasional changes of what matters.
func randomValues(r random, revision, namespace string, cni bool) object {
	values := object{"revision": revision}
	put(values, namespace, "global", "istioNamespace")
	tags := []any{}
	for _, tag := range some(r, 25, "prod-"+revision, "stable-"+revision) {
		tags = append(tags, trimDash(tag))
	}
	values["revisionTags"] = tags
	if cni {
		put(values, true, "pilot", "cni", "enabled")
	}
	if r.chance(40) {
		put(values, one[any](r, "true", "false", "false"), "pilot", "env", "ENABLE_NATIVE_SIDECARS")
	}
	injectorValues(r, values)
	trafficValues(r, values)
	meshValues(r, values)
	return values
}

func trimDash(tag string) string {
	if tag[len(tag)-1] == '-' {
		return tag[:len(tag)-1]
	}
	return tag
}

// injectorValues sets the values that decide whether and with what a pod is injected.
func injectorValues(r random, values object) {
	set := func(percent int, value any, path ...string) {
		if r.chance(percent) {
			put(values, value, path...)
		}
	}
	set(15, true, "sidecarInjectorWebhook", "enableNamespacesByDefault")
	set(r.or(35, 80), false, "sidecarInjectorWebhook", "rewriteAppHTTPProbe")
	set(10, one(r, selectorsNever...), "sidecarInjectorWebhook", "neverInjectSelector")
	set(15, one(r, selectorsAlways...), "sidecarInjectorWebhook", "alwaysInjectSelector")
	set(6, []any{one[any](r, "gateway", "grpc-agent", "sidecar")}, "sidecarInjectorWebhook", "defaultTemplates")
	set(8, object{"note": "metadata:\n  annotations:\n    example.com/note: templated\n"}, "sidecarInjectorWebhook", "templates")
	set(5, object{"example.com/injected": "yes"}, "sidecarInjectorWebhook", "injectedAnnotations")
	set(r.or(7, 1), one(r, "disabled", "disabled", "disabled", "off"), "global", "proxy", "autoInject")
	set(10, "/inject/cluster/remote/net/network-2", "istiodRemote", "injectionPath")
	set(10, "network-1", "global", "network")
}

var (
	labelSelectorApp   = object{"matchLabels": object{"app": "web"}}
	labelSelectorBatch = object{"matchExpressions": []any{object{"key": "batch", "operator": "Exists"}}}
	labelSelectorTier  = object{"matchExpressions": []any{object{"key": "tier", "operator": "NotIn", "values": []any{"front"}}}}
	selectorsNever     = []any{[]any{labelSelectorBatch}, []any{labelSelectorApp}, []any{object{}}, []any{labelSelectorApp, labelSelectorBatch}}
	selectorsAlways    = []any{[]any{labelSelectorApp}, []any{labelSelectorTier}, []any{object{}, labelSelectorBatch}}
)

// trafficValues sets the installation's defaults of redirection.
func trafficValues(r random, values object) {
	set := func(percent int, value any, path ...string) {
		if r.chance(percent) {
			put(values, value, path...)
		}
	}
	set(10, one(r, "", "8080", "8080,9090"), "global", "proxy", "includeInboundPorts")
	set(10, one(r, "8081", "9090,8081", "15020"), "global", "proxy", "excludeInboundPorts")
	set(8, one(r, 15999, 0, 16020), "global", "proxy", "statusPort")
	set(10, true, "global", "proxy", "holdApplicationUntilProxyStarts")
	set(5, "10.0.0.0/8", "global", "proxy", "includeIPRanges")
}

// meshValues sets the values of the mesh configuration.
func meshValues(r random, values object) {
	set := func(percent int, value any, path ...string) {
		if r.chance(percent) {
			put(values, value, append([]string{"meshConfig"}, path...)...)
		}
	}
	set(15, one(r, "istio-config", "shop"), "rootNamespace")
	set(7, one(r, 15999, 16020, 15021), "defaultConfig", "statusPort")
	set(6, one(r, "TPROXY", "TPROXY", "NONE"), "defaultConfig", "interceptionMode")
	set(10, one(r, object{"ISTIO_META_DNS_CAPTURE": "true"}, object{"ISTIO_META_ENABLE_HBONE": "true"}, object{"INVALID_DROP": "true"}),
		"defaultConfig", "proxyMetadata")
	set(8, true, "defaultConfig", "holdApplicationUntilProxyStarts")
	set(8, "LOCALHOST", "inboundTrafficPolicy", "mode")
	set(8, false, "enablePrometheusMerge")
	set(10, false, "enableAutoMtls")
}
