/** An istiod revision, as its ConfigMaps `istio[-rev]` and `istio-sidecar-injector[-rev]` configure it. */
import type { JsonObject } from '../kubernetes/json.ts'
import type { LabelSelector } from '../kubernetes/label-selector.ts'
import type { Version } from './version.ts'

export type InterceptionMode = 'REDIRECT' | 'TPROXY' | 'NONE'
export type IngressControllerMode = 'OFF' | 'DEFAULT' | 'STRICT'

/** An access log format as Envoy's command operators, of meshConfig.accessLogFormat or an extension provider. */
export type AccessLogFormat =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'json'; readonly labels: JsonObject }

export interface ControlPlane {
  /**
   * `default` for an installation without a revision (the chart's REVISION,
   * docs/facts/mtls-modes.md#which-policies-are-read).
   */
  readonly revision: string
  /** `meshConfig.rootNamespace`: its policies without a selector apply to the whole mesh. */
  readonly rootNamespace: string
  /**
   * `meshConfig.defaultConfig.statusPort`: the port in rewritten probes
   * (docs/facts/traffic-capture.md#two-status-ports).
   */
  readonly statusPort: number
  /** `meshConfig.defaultConfig.interceptionMode`. */
  readonly interceptionMode: InterceptionMode
  /** `meshConfig.enableAutoMtls`: whether clients use mutual TLS wherever the server accepts it. */
  readonly hasAutoMtls: boolean
  /** `meshConfig.enablePrometheusMerge`. */
  readonly mergesMetrics: boolean
  /** `meshConfig.defaultConfig.proxyMetadata.ISTIO_META_ENABLE_HBONE`: pods get an extra label for it. */
  readonly hasHbone: boolean
  /**
   * `meshConfig.ingressClass` and `ingressControllerMode`: the Ingresses that Istio serves itself
   * (docs/facts/istio-gateway.md#ingress-class).
   */
  readonly ingressClass: string
  readonly ingressControllerMode: IngressControllerMode
  /** Custom formats; Istio's defaults are not among them. */
  readonly accessLogFormats: readonly AccessLogFormat[]
  /**
   * `meshConfig.outboundTrafficPolicy.mode`; undefined if the mesh configuration has not been read
   * (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-OutboundTrafficPolicy).
   */
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY' | undefined
  /** Undefined if no injector ConfigMap was seen: probe rewriting is then unknown. */
  readonly injector: Injector | undefined
}

export interface Injector {
  /** `enabled` or `disabled`; any other value disables injection (docs/facts/injection.md#istiods-own-decision). */
  readonly policy: string
  readonly neverInjectSelector: readonly LabelSelector[]
  readonly alwaysInjectSelector: readonly LabelSelector[]
  readonly defaultTemplates: readonly string[]
  readonly aliases: ReadonlyMap<string, readonly string[]>
  readonly templates: ReadonlyMap<string, Template>
  /**
   * `values.sidecarInjectorWebhook.rewriteAppHTTPProbe`; absent means false
   * (docs/facts/agent-probes.md#when-probes-are-rewritten).
   */
  readonly rewriteAppHTTPProbe: boolean
  /** `values.global.proxy.{includeInboundPorts,excludeInboundPorts,statusPort}`. */
  readonly includeInboundPorts: string
  readonly excludeInboundPorts: string
  readonly statusPort: string
  /** `values.global.proxy`: which outbound calls of a pod are redirected, unless its annotations override it. */
  readonly outbound: OutboundDefaults
  /** `values.pilot.cni.enabled`: the node's CNI plugin sets up redirection instead of an init container. */
  readonly cni: boolean
  /**
   * The proxy is an init container: `values.pilot.env.ENABLE_NATIVE_SIDECARS`. It defaults to on if every kubelet is
   * 1.33 or later, which is assumed.
   */
  readonly nativeSidecars: boolean
  /** `values.global.network`: the value of the label `topology.istio.io/network`. */
  readonly network: string
  readonly version: Version | undefined
}

export interface OutboundDefaults {
  /** CIDRs or `*`; empty for nothing. */
  readonly includeIPRanges: string
  readonly excludeIPRanges: string
  readonly includeOutboundPorts: string
  readonly excludeOutboundPorts: string
}

/** The effect of an injection template on a pod, as far as probes are concerned. */
export interface Template {
  /** How the container `istio-proxy` runs; `none` means no container and no probe rewriting. */
  readonly proxyType: 'none' | 'sidecar' | 'router'
  /** Whether iptables redirects inbound traffic. */
  readonly redirects: boolean
  /** A value of `sidecar.istio.io/rewriteAppHTTPProbers` that overrides the pod's own. */
  readonly rewriteAnnotation: string | undefined
  /** `DISABLE_ENVOY` on the proxy: the CNI plugin then redirects nothing, regardless of the other templates. */
  readonly disablesEnvoy: boolean
}

/** The merged templates of one call. */
export interface MergedTemplates extends Template {
  /** The proxy that an earlier template put among the containers, for a native sidecar template to move. */
  readonly movedProxyType: Template['proxyType']
}

/**
 * The chart's templates (docs/facts/injection.md#templates; `manifests/charts/istio-control/istio-discovery/files`).
 */
export const CHART_TEMPLATES: ReadonlyMap<string, Template> = new Map([
  ['sidecar', { proxyType: 'sidecar', redirects: true, rewriteAnnotation: undefined, disablesEnvoy: false }],
  ['gateway', { proxyType: 'router', redirects: false, rewriteAnnotation: undefined, disablesEnvoy: false }],
  ['grpc-agent', { proxyType: 'sidecar', redirects: false, rewriteAnnotation: 'false', disablesEnvoy: true }],
  ['grpc-simple', { proxyType: 'none', redirects: false, rewriteAnnotation: 'false', disablesEnvoy: false }],
])

/** The chart's defaults, used if the injector's ConfigMap is unknown. */
export const CHART_INJECTOR: Injector = {
  policy: 'enabled',
  neverInjectSelector: [],
  alwaysInjectSelector: [],
  defaultTemplates: ['sidecar'],
  aliases: new Map(),
  templates: CHART_TEMPLATES,
  rewriteAppHTTPProbe: true,
  includeInboundPorts: '*',
  excludeInboundPorts: '',
  statusPort: '15020',
  outbound: { includeIPRanges: '*', excludeIPRanges: '', includeOutboundPorts: '', excludeOutboundPorts: '' },
  cni: false,
  nativeSidecars: true,
  network: '',
  version: undefined,
}

/** Returns the assumed settings of a revision of which only the name is known. */
export function unknownControlPlane(revision: string): ControlPlane {
  return {
    revision,
    rootNamespace: 'istio-system',
    statusPort: 15020,
    interceptionMode: 'REDIRECT',
    hasAutoMtls: true,
    mergesMetrics: true,
    hasHbone: false,
    ingressClass: 'istio',
    ingressControllerMode: 'STRICT',
    accessLogFormats: [],
    outboundTrafficPolicy: undefined,
    injector: undefined,
  }
}
