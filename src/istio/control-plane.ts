/** An istiod revision: what its ConfigMaps `istio[-rev]` and `istio-sidecar-injector[-rev]` say. */
import type { LabelSelector } from '../kubernetes/label-selector.ts'
import type { Version } from './version.ts'

export type InterceptionMode = 'REDIRECT' | 'TPROXY' | 'NONE'
export type IngressControllerMode = 'OFF' | 'DEFAULT' | 'STRICT'

export interface ControlPlane {
  /**
   * `default` for the install without a revision (the chart's REVISION, docs/facts/mtls-modes.md#which-policies-are-read).
   */
  readonly revision: string
  /** `meshConfig.rootNamespace`: its policies without a selector hold for the whole mesh. */
  readonly rootNamespace: string
  /**
   * `meshConfig.defaultConfig.statusPort`: where rewriting sends probes (docs/facts/traffic-capture.md#two-status-ports).
   */
  readonly statusPort: number
  /** `meshConfig.defaultConfig.interceptionMode`. */
  readonly interceptionMode: InterceptionMode
  /** `meshConfig.enableAutoMtls`: whether clients use mutual TLS wherever the server takes it. */
  readonly hasAutoMtls: boolean
  /** `meshConfig.enablePrometheusMerge`. */
  readonly mergesMetrics: boolean
  /** `meshConfig.defaultConfig.proxyMetadata.ISTIO_META_ENABLE_HBONE`: pods get a label of their own for it. */
  readonly hasHbone: boolean
  /**
   * `meshConfig.ingressClass` and `ingressControllerMode`: which Ingresses Istio serves itself
   * (docs/facts/istio-gateway.md#ingress-class).
   */
  readonly ingressClass: string
  readonly ingressControllerMode: IngressControllerMode
  /** Undefined where no injector ConfigMap was seen: then nothing is known about probe rewriting. */
  readonly injector: Injector | undefined
}

export interface Injector {
  /**
   * `enabled` or `disabled`; anything else turns injection off altogether (docs/facts/injection.md#istiods-own-decision).
   */
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
  /** `values.pilot.cni.enabled`: redirection is set up by the node's CNI plugin instead of an init container. */
  readonly cni: boolean
  /**
   * The proxy is an init container: `values.pilot.env.ENABLE_NATIVE_SIDECARS`, by default on where every kubelet is 1.33
   * or later, which is taken for granted.
   */
  readonly nativeSidecars: boolean
  /** `values.global.network`: becomes the label `topology.istio.io/network`. */
  readonly network: string
  readonly version: Version | undefined
}

/** What an injection template puts into a pod, as far as probes are concerned. */
export interface Template {
  /** The container `istio-proxy` and what it runs as; without one no probe is rewritten. */
  readonly proxyType: 'none' | 'sidecar' | 'router'
  /** iptables redirection of inbound traffic. */
  readonly redirects: boolean
  /** A value of `sidecar.istio.io/rewriteAppHTTPProbers` that beats the pod's own. */
  readonly rewriteAnnotation: string | undefined
  /** `DISABLE_ENVOY` on the proxy: the CNI plugin then redirects nothing, whatever the other templates ask for. */
  readonly disablesEnvoy: boolean
}

/** The templates of one call, merged. */
export interface MergedTemplates extends Template {
  /** What an earlier template of the list put among the containers, for a native sidecar template to move. */
  readonly movedProxyType: Template['proxyType']
}

/**
 * The templates of the chart (docs/facts/injection.md#templates; `manifests/charts/istio-control/istio-discovery/files`).
 */
export const CHART_TEMPLATES: ReadonlyMap<string, Template> = new Map([
  ['sidecar', { proxyType: 'sidecar', redirects: true, rewriteAnnotation: undefined, disablesEnvoy: false }],
  ['gateway', { proxyType: 'router', redirects: false, rewriteAnnotation: undefined, disablesEnvoy: false }],
  ['grpc-agent', { proxyType: 'sidecar', redirects: false, rewriteAnnotation: 'false', disablesEnvoy: true }],
  ['grpc-simple', { proxyType: 'none', redirects: false, rewriteAnnotation: 'false', disablesEnvoy: false }],
])

/** The chart's defaults, used if the injector's ConfigMap is not known. */
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
  cni: false,
  nativeSidecars: true,
  network: '',
  version: undefined,
}

/** The revision of which nothing but its name is known. */
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
    injector: undefined,
  }
}
