/** What one call of istiod's injector makes of a pod (spec/istio.md 2.1, 3.5, 3.6, 4.6; `pkg/kube/inject/webhook.go`). */
import { parse as parseYaml } from 'yaml'
import { memberAt, scalarText } from '../kubernetes/json.ts'
import type { PodTemplate } from '../kubernetes/pod-template.ts'
import {
  CHART_INJECTOR,
  type ControlPlane,
  type Injector,
  type InterceptionMode,
  type MergedTemplates,
  type Template,
} from './control-plane.ts'
import { parseBool, parseInteger } from './go-values.ts'
import type { PodIdentity } from './injection-policy.ts'
import { mergedScrapeAnnotations, refusedScrapeAnnotation } from './prometheus-annotations.ts'
import { redirectionAfter, type Redirection } from './redirection.ts'
import type { Version } from './version.ts'

const REWRITE = 'sidecar.istio.io/rewriteAppHTTPProbers'
const STATUS_PORT = 'status.sidecar.istio.io/port'
const INCLUDE_INBOUND = 'traffic.sidecar.istio.io/includeInboundPorts'
const EXCLUDE_INBOUND = 'traffic.sidecar.istio.io/excludeInboundPorts'
const INTERCEPTION = 'sidecar.istio.io/interceptionMode'

/** Whether Istio moves the probes to its agent. `unknown` where no injector ConfigMap and no annotation tells. */
export type Rewriting =
  | {
      readonly state: 'on'
      readonly statusPort: number
      readonly version: Version | undefined
      readonly evidence: string
    }
  | { readonly state: 'off'; readonly evidence: string }
  | { readonly state: 'unknown'; readonly evidence: string }

export interface InjectionSubject {
  readonly namespace: string
  readonly template: PodTemplate
  /** What Istio takes for the workload's name (`kube.GetDeployMetaFromPod`): default of the canonical name label. */
  readonly workloadName: string
}

export interface InjectionPass {
  readonly isInjected: boolean
  /** False where the templates bring no `istio-proxy`, `grpc-simple` alone, and the pod has none. */
  readonly hasProxy: boolean
  readonly controlPlane: ControlPlane
  readonly redirection: Redirection
  readonly rewriting: Rewriting
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly evidence: string
}

export interface InjectionCall {
  readonly subject: InjectionSubject
  readonly pod: PodIdentity
  readonly controlPlane: ControlPlane
  readonly previous: InjectionPass | undefined
  /** The network that the called webhook names. */
  readonly network: string | undefined
  readonly evidence: string
}

export function inject(
  call: InjectionCall,
):
  | { readonly state: 'injected'; readonly pass: InjectionPass }
  | { readonly state: 'refused'; readonly evidence: string } {
  const injector = call.controlPlane.injector ?? CHART_INJECTOR
  const names = selectTemplates(call.pod.annotations, injector)
  const templates = names.map((name) => injector.templates.get(name))
  const missing = names[templates.indexOf(undefined)]
  if (missing !== undefined)
    return { state: 'refused', evidence: `Istio has no injection template ${JSON.stringify(missing)}` }
  const { statusPort, mergesMetrics } = call.controlPlane
  const refused = refusedScrapeAnnotation(call.pod.annotations, statusPort, mergesMetrics)
  if (refused !== undefined) return { state: 'refused', evidence: `Istio refuses annotation ${refused}` }
  const effect = mergeTemplates(templates.filter((template) => template !== undefined))
  const mode = interceptionMode(call.pod.annotations, call.controlPlane)
  if (mode === undefined) return { state: 'refused', evidence: 'Istio refuses annotation proxy.istio.io/config' }
  return { state: 'injected', pass: makePass(call, injector, effect, mode) }
}

/** `inject.istio.io/templates`, a comma list; aliases stand for lists (`inject.go` selectTemplates). */
function selectTemplates(annotations: ReadonlyMap<string, string>, injector: Injector): readonly string[] {
  const wanted = annotations.get('inject.istio.io/templates')
  const names = wanted === undefined ? injector.defaultTemplates : wanted.split(',').map((name) => name.trim())
  return names.flatMap((name) => injector.aliases.get(name) ?? [name])
}

/** Templates are merged one after another; a later annotation wins. */
function mergeTemplates(templates: readonly Template[]): MergedTemplates {
  const sidecar = templates.findLastIndex(({ redirects }) => redirects)
  const before = templates.slice(0, Math.max(sidecar, 0)).findLast(({ proxyType }) => proxyType !== 'none')
  return {
    movedProxyType: before?.redirects === false ? before.proxyType : 'none',
    proxyType: templates.findLast(({ proxyType }) => proxyType !== 'none')?.proxyType ?? 'none',
    redirects: templates.some((template) => template.redirects),
    disablesEnvoy: templates.some((template) => template.disablesEnvoy),
    rewriteAnnotation: templates.findLast((template) => template.rewriteAnnotation !== undefined)?.rewriteAnnotation,
  }
}

/** The templates', or one that the manifest brings for the templates to fill in. */
function hasProxy({ subject }: InjectionCall, effect: MergedTemplates): boolean {
  return effect.proxyType !== 'none' || subject.template.containers.some(({ name }) => name === 'istio-proxy')
}

function makePass(
  call: InjectionCall,
  injector: Injector,
  effect: MergedTemplates,
  mode: InterceptionMode,
): InjectionPass {
  const { statusPort, mergesMetrics } = call.controlPlane
  const templated = annotationsAfter(call.pod.annotations, injector, effect, mode)
  const annotations = mergedScrapeAnnotations(templated, statusPort, mergesMetrics)
  const rewriting = rewritingAfter(call, effect, annotations)
  return {
    isInjected: true,
    hasProxy: hasProxy(call, effect) || call.previous?.hasProxy === true,
    controlPlane: call.controlPlane,
    redirection: redirectionAfter({
      previous: call.previous?.redirection,
      template: call.subject.template,
      pod: call.pod,
      injector,
      effect,
      mode,
      annotations,
    }),
    rewriting:
      rewriting.state !== 'on' && call.previous?.rewriting.state === 'on' ? call.previous.rewriting : rewriting,
    labels: labelsAfter(call, effect),
    annotations,
    evidence: call.evidence,
  }
}

/** The annotation, else `proxy.istio.io/config`, else the mesh's default; undefined where the YAML is refused. */
function interceptionMode(
  annotations: ReadonlyMap<string, string>,
  controlPlane: ControlPlane,
): InterceptionMode | undefined {
  const own = asInterceptionMode(annotations.get(INTERCEPTION))
  const config = annotations.get('proxy.istio.io/config')
  if (config === undefined) return own ?? controlPlane.interceptionMode
  const parsed = parseProxyConfig(config)
  if (parsed === undefined) return undefined
  const configured = asInterceptionMode(memberAt(parsed, 'interceptionMode'))
  // REDIRECT is the enum's zero value: protobuf merging takes it for absent.
  return own ?? (configured === undefined || configured === 'REDIRECT' ? controlPlane.interceptionMode : configured)
}

/** Protobuf enums are read by name or by number. */
export function asInterceptionMode(value: unknown): InterceptionMode | undefined {
  const modes = ['REDIRECT', 'TPROXY', 'NONE'] as const
  return typeof value === 'number' ? modes[value] : modes.find((mode) => mode === value)
}

function parseProxyConfig(text: string): unknown {
  try {
    const parsed: unknown = parseYaml(text)
    return typeof parsed === 'object' ? (parsed ?? {}) : undefined
  } catch {
    return undefined
  }
}

/** With CNI the template writes its choices down as annotations, which a second injector takes for the pod's own. */
function annotationsAfter(
  before: ReadonlyMap<string, string>,
  injector: Injector,
  effect: MergedTemplates,
  mode: InterceptionMode,
): ReadonlyMap<string, string> {
  const after = new Map(before)
  if (effect.rewriteAnnotation !== undefined) after.set(REWRITE, effect.rewriteAnnotation)
  if (!injector.cni || !effect.redirects) return after
  after.set(INTERCEPTION, mode)
  after.set(INCLUDE_INBOUND, before.get(INCLUDE_INBOUND) ?? injector.includeInboundPorts)
  const excluded = before.get(EXCLUDE_INBOUND) ?? injector.excludeInboundPorts
  const status = before.get(STATUS_PORT) ?? injector.statusPort
  return after.set(EXCLUDE_INBOUND, withPort(excluded, status))
}

/** The template function `excludeInboundPort`: adds the status port unless it is there or is 0. */
function withPort(ports: string, port: string): string {
  const status = port.trim()
  if (status === '' || status === '0' || ports.split(',').includes(status)) return ports
  const present = ports.split(',').map((text) => text.trim())
  return [...present.filter((text) => text !== ''), status].join(',')
}

function rewritingAfter(
  call: InjectionCall,
  effect: MergedTemplates,
  annotations: ReadonlyMap<string, string>,
): Rewriting {
  const { controlPlane } = call
  if (!hasProxy(call, effect)) return { state: 'off', evidence: 'the injection template has no container istio-proxy' }
  const written = annotations.get(REWRITE)
  const wanted = written === undefined ? undefined : parseBool(written)
  const on = wanted ?? controlPlane.injector?.rewriteAppHTTPProbe
  if (on === undefined)
    return { state: 'unknown', evidence: `no ConfigMap of the injector of revision ${controlPlane.revision}` }
  const evidence =
    wanted === undefined
      ? `rewriteAppHTTPProbe: ${on} of revision ${controlPlane.revision}`
      : `annotation ${REWRITE}: ${written}`
  if (!on) return { state: 'off', evidence }
  return {
    state: 'on',
    statusPort: rewriteTarget(annotations, controlPlane),
    version: controlPlane.injector?.version,
    evidence,
  }
}

/** An unparsable annotation gives port 0, but validation refuses such a pod first (`app_probe.go` patchRewriteProbe). */
function rewriteTarget(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): number {
  const own = annotations.get(STATUS_PORT)
  return own === undefined ? controlPlane.statusPort : (parseInteger(own) ?? 0)
}

/**
 * The labels that the templates add where the pod has none; policies may select them although admission does not see
 * them yet (spec/istio.md section 7).
 */
function labelsAfter(call: InjectionCall, effect: MergedTemplates): ReadonlyMap<string, string> {
  const { pod, subject, controlPlane } = call
  const labels = new Map(pod.labels)
  const network = call.network || (controlPlane.injector?.network ?? '')
  if (network !== '' && !labels.has('topology.istio.io/network')) labels.set('topology.istio.io/network', network)
  if (effect.redirects) setDefault(labels, 'security.istio.io/tlsMode', ['istio'])
  if (effect.redirects && hasHbone(call)) setDefault(labels, 'networking.istio.io/tunnel', ['http'])
  if (effect.proxyType === 'none') return labels
  const name = [labels.get('app.kubernetes.io/name'), labels.get('app'), subject.workloadName]
  setDefault(
    labels,
    'service.istio.io/canonical-name',
    name.map((text) => (effect.redirects ? asLabel(text) : text)),
  )
  const revision = [labels.get('app.kubernetes.io/version'), labels.get('version'), 'latest']
  setDefault(labels, 'service.istio.io/canonical-revision', revision)
  return labels
}

/** `ISTIO_META_ENABLE_HBONE` of `proxy.istio.io/config`, else of the mesh. */
function hasHbone({ pod, controlPlane }: InjectionCall): boolean {
  const config = pod.annotations.get('proxy.istio.io/config')
  const own =
    config === undefined ? undefined : memberAt(parseProxyConfig(config), 'proxyMetadata', 'ISTIO_META_ENABLE_HBONE')
  return own === undefined ? controlPlane.hasHbone : scalarText(own) === 'true'
}

/** Sprig's `default`: an empty text counts as absent. */
function setDefault(labels: Map<string, string>, key: string, candidates: readonly (string | undefined)[]): void {
  if ((labels.get(key) ?? '') !== '') return
  labels.set(key, candidates.find((text) => text !== undefined && text !== '') ?? '')
}

/** `trunc 63 | trimAll "-_."` */
function asLabel(text: string | undefined): string | undefined {
  return text?.slice(0, 63).replace(/^[-_.]+|[-_.]+$/g, '')
}
