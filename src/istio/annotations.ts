/**
 * Istio's annotations and labels that this project reads or writes, each defined once
 * (https://istio.io/latest/docs/reference/config/annotations/ and .../labels/).
 */

// Whether the injector adds a sidecar, and from which templates.
export const INJECT = 'sidecar.istio.io/inject'
export const INJECTION_STATUS = 'sidecar.istio.io/status'
export const INJECTION_TEMPLATES = 'inject.istio.io/templates'
export const NATIVE_SIDECAR = 'sidecar.istio.io/nativeSidecar'
export const PROXY_CONFIG = 'proxy.istio.io/config'
export const PROXY_OVERRIDES = 'proxy.istio.io/overrides'
/** A label of webhooks, ConfigMaps, policies, namespaces and pods; an annotation of an injected pod. */
export const REVISION = 'istio.io/rev'
/** A namespace label: `enabled` or `disabled`. */
export const INJECTION_LABEL = 'istio-injection'

// Probes and Istio's agent.
export const REWRITE_PROBES = 'sidecar.istio.io/rewriteAppHTTPProbers'
export const STATUS_PORT = 'status.sidecar.istio.io/port'

// Which traffic is redirected into the sidecar.
export const INTERCEPTION_MODE = 'sidecar.istio.io/interceptionMode'
export const INCLUDE_INBOUND_PORTS = 'traffic.sidecar.istio.io/includeInboundPorts'
export const EXCLUDE_INBOUND_PORTS = 'traffic.sidecar.istio.io/excludeInboundPorts'
export const INCLUDE_OUTBOUND_IP_RANGES = 'traffic.sidecar.istio.io/includeOutboundIPRanges'
export const EXCLUDE_OUTBOUND_IP_RANGES = 'traffic.sidecar.istio.io/excludeOutboundIPRanges'
export const INCLUDE_OUTBOUND_PORTS = 'traffic.sidecar.istio.io/includeOutboundPorts'
export const EXCLUDE_OUTBOUND_PORTS = 'traffic.sidecar.istio.io/excludeOutboundPorts'
export const EXCLUDE_INTERFACES = 'traffic.sidecar.istio.io/excludeInterfaces'
export const REROUTE_VIRTUAL_INTERFACES = 'istio.io/reroute-virtual-interfaces'
/** The old name of `istio.io/reroute-virtual-interfaces`. */
export const KUBEVIRT_INTERFACES = 'traffic.sidecar.istio.io/kubevirtInterfaces'

/** Whether the agent merges the application's metrics with the proxy's. */
export const MERGE_METRICS = 'prometheus.istio.io/merge-metrics'

/** A label of a namespace or pod: `ambient` or `none`. */
export const DATAPLANE_MODE = 'istio.io/dataplane-mode'

// Labels that the injection templates add.
export const NETWORK = 'topology.istio.io/network'
export const TLS_MODE = 'security.istio.io/tlsMode'
export const TUNNEL = 'networking.istio.io/tunnel'
export const CANONICAL_NAME = 'service.istio.io/canonical-name'
export const CANONICAL_REVISION = 'service.istio.io/canonical-revision'
