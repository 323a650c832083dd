/**
 * Reads control planes from the ConfigMaps `istio[-rev]` (key `mesh`) and `istio-sidecar-injector[-rev]` (keys `config`
 * and `values`), docs/facts/injection.md#istiods-own-decision, and from the ConfigMap that istiod's environment variable
 * SHARED_MESH_CONFIG names, `istio-shared-configmap-REVISION` in AKS
 * (docs/facts/injection.md#shared-mesh-configuration).
 */
import { REVISION } from '../istio/annotations.ts'
import { parse as parseYaml } from 'yaml'
import { messageOf } from '../errors.ts'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  parseJson,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { parseSelector, type LabelSelector } from '../kubernetes/label-selector.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { labelsOf, metadataOf, referenceTo } from '../kubernetes/object.ts'
import {
  CHART_INJECTOR,
  CHART_TEMPLATES,
  unknownControlPlane,
  type AccessLogFormat,
  type ControlPlane,
  type IngressControllerMode,
  type Injector,
  type Template,
} from '../istio/control-plane.ts'
import { asInterceptionMode } from '../istio/proxy-config.ts'
import { isOlderThan, parseVersion, type Version } from '../istio/version.ts'
import { isProblem, type Problem } from '../kubernetes/problem.ts'

const MESH = 'istio'
const SHARED = 'istio-shared-configmap'
const INJECTOR = 'istio-sidecar-injector'

/** The part of one revision's settings in one ConfigMap. */
export interface ControlPlanePart {
  readonly revision: string
  /** The mesh configuration as written. */
  readonly mesh?: JsonObject
  /** The shared mesh configuration, which gives way to the other. */
  readonly shared?: JsonObject
  /** Set if only an istiod that names this ConfigMap reads it: `namespace/name`. */
  readonly sharedAs?: string
  readonly injector?: Injector
}

/**
 * Merges the parts of all revisions. The shared mesh configuration comes first, and the revision's own replaces its
 * members; of `defaultConfig` they are merged one by one (istio `pkg/config/mesh`, `ApplyMeshConfig`).
 */
export function mergeControlPlanes(
  parts: readonly ControlPlanePart[],
  istiods: readonly Istiod[],
): ReadonlyMap<string, ControlPlane> {
  const named = new Map(parts.flatMap((part) => (part.sharedAs === undefined ? [] : [[part.sharedAs, part.shared]])))
  const byRevision = groupBy(
    parts.filter(({ sharedAs }) => sharedAs === undefined),
    ({ revision }) => revision,
  )
  return new Map(
    [...byRevision].map(([revision, own]) => {
      const wanted = istiods.find((istiod) => istiod.revision === revision)?.sharedConfig
      const shared = named.get(wanted ?? '') ?? own.find((part) => part.shared !== undefined)?.shared ?? {}
      const mesh = own.find((part) => part.mesh !== undefined)?.mesh ?? {}
      const injector = own.find((part) => part.injector !== undefined)?.injector
      return [revision, { ...readMesh(revision, mergeMesh(shared, mesh)), injector }]
    }),
  )
}

/** An istiod with a shared mesh configuration, `namespace/name`. */
export interface Istiod {
  readonly revision: string
  readonly sharedConfig: string
}

function mergeMesh(shared: JsonObject, own: JsonObject): JsonObject {
  const defaultConfig = mergeMembers(member(shared, 'defaultConfig'), member(own, 'defaultConfig'))
  const proxyMetadata = mergeMembers(
    memberAt(shared, 'defaultConfig', 'proxyMetadata'),
    memberAt(own, 'defaultConfig', 'proxyMetadata'),
  )
  return { ...shared, ...own, defaultConfig: { ...defaultConfig, proxyMetadata } }
}

function mergeMembers(shared: Json | undefined, own: Json | undefined): JsonObject {
  return { ...(isObject(shared) ? shared : {}), ...(isObject(own) ? own : {}) }
}

/** Returns undefined for a ConfigMap that is not Istio's. */
export function readControlPlanePart(object: JsonObject): ControlPlanePart | Problem | undefined {
  const name = stringMember(metadataOf(object), 'name') ?? ''
  const data = member(object, 'data')
  const injectorRevision = revisionIn(name, INJECTOR, object)
  if (injectorRevision !== undefined && (member(data, 'config') !== undefined || member(data, 'values') !== undefined))
    return readInjectorPart(injectorRevision, data)
  const sharedRevision = revisionIn(name, SHARED, object)
  if (sharedRevision !== undefined) return readMeshPart(sharedRevision, data, 'shared')
  const meshRevision = revisionIn(name, MESH, object)
  if (meshRevision !== undefined && member(data, 'mesh') !== undefined) return readMeshPart(meshRevision, data, 'mesh')
  return member(data, 'mesh') === undefined ? undefined : readUnnamedPart(object, data)
}

/** Any ConfigMap may be the shared one. One that cannot be read may have nothing to do with Istio. */
function readUnnamedPart(object: JsonObject, data: Json | undefined): ControlPlanePart | undefined {
  const part = readMeshPart('', data, 'shared')
  const { namespace, name } = referenceTo(object)
  return part === undefined || isProblem(part) ? undefined : { ...part, sharedAs: `${namespace}/${name}` }
}

/** Reads the label, otherwise the suffix of the name. A name without suffix is the default revision. */
function revisionIn(name: string, prefix: string, object: JsonObject): string | undefined {
  if (name !== prefix && !name.startsWith(`${prefix}-`)) return undefined
  return labelsOf(object).get(REVISION) ?? (name === prefix ? 'default' : name.slice(prefix.length + 1))
}

function readMeshPart(
  revision: string,
  data: Json | undefined,
  key: 'mesh' | 'shared',
): ControlPlanePart | Problem | undefined {
  const mesh = parseText(data, 'mesh')
  if ('problem' in mesh) return mesh
  return isObject(mesh.value) ? { revision, [key]: mesh.value } : undefined
}

function readMesh(revision: string, mesh: JsonObject): Omit<ControlPlane, 'injector'> {
  const fallback = unknownControlPlane(revision)
  const statusPort = memberAt(mesh, 'defaultConfig', 'statusPort')
  return {
    revision,
    rootNamespace: stringMember(mesh, 'rootNamespace') || fallback.rootNamespace,
    statusPort: typeof statusPort === 'number' ? statusPort : fallback.statusPort,
    interceptionMode:
      asInterceptionMode(memberAt(mesh, 'defaultConfig', 'interceptionMode')) ?? fallback.interceptionMode,
    hasAutoMtls: member(mesh, 'enableAutoMtls') !== false,
    mergesMetrics: member(mesh, 'enablePrometheusMerge') !== false,
    hasHbone: scalarText(memberAt(mesh, 'defaultConfig', 'proxyMetadata', 'ISTIO_META_ENABLE_HBONE')) === 'true',
    ingressClass: stringMember(mesh, 'ingressClass') ?? fallback.ingressClass,
    ingressControllerMode: asIngressMode(member(mesh, 'ingressControllerMode')) ?? fallback.ingressControllerMode,
    accessLogFormats: readAccessLogFormats(mesh),
    outboundTrafficPolicy:
      Object.keys(mesh).length === 0
        ? undefined
        : memberAt(mesh, 'outboundTrafficPolicy', 'mode') === 'REGISTRY_ONLY'
          ? 'REGISTRY_ONLY'
          : 'ALLOW_ANY',
  }
}

/**
 * `accessLogFormat` is text, or JSON labels if `accessLogEncoding` is JSON; Telemetry objects name extension providers,
 * whose `envoyFileAccessLog.logFormat` has `text` or `labels`.
 */
function readAccessLogFormats(mesh: JsonObject): readonly AccessLogFormat[] {
  const own = stringMember(mesh, 'accessLogFormat') ?? ''
  const isJson = member(mesh, 'accessLogEncoding') === 'JSON'
  const labels = isJson ? parseJson(own) : undefined
  const shared: readonly AccessLogFormat[] =
    own === '' ? [] : isObject(labels) ? [{ kind: 'json', labels }] : isJson ? [] : [{ kind: 'text', text: own }]
  const provided = arrayMember(mesh, 'extensionProviders').flatMap((provider): readonly AccessLogFormat[] => {
    const format = memberAt(provider, 'envoyFileAccessLog', 'logFormat')
    const text = stringMember(format, 'text') ?? ''
    const own = member(format, 'labels')
    if (text !== '') return [{ kind: 'text', text }]
    return isObject(own) && Object.keys(own).length > 0 ? [{ kind: 'json', labels: own }] : []
  })
  return [...shared, ...provided]
}

/** `UNSPECIFIED` and unknown values mean the default. */
function asIngressMode(value: Json | undefined): IngressControllerMode | undefined {
  return (['OFF', 'DEFAULT', 'STRICT'] as const).find((mode) => mode === value)
}

function readInjectorPart(revision: string, data: Json | undefined): ControlPlanePart | Problem {
  const config = parseText(data, 'config')
  if ('problem' in config) return config
  const values = parseText(data, 'values')
  if ('problem' in values) return values
  return { revision, injector: readInjector(config.value, values.value) }
}

function parseText(data: Json | undefined, key: string): { readonly value: Json } | Problem {
  const text = stringMember(data, key) ?? ''
  try {
    return { value: (parseYaml(text, { merge: true, uniqueKeys: false }) ?? {}) as Json }
  } catch (error) {
    const message = messageOf(error).split('\n')[0] ?? ''
    return { field: `data.${key}`, problem: message.replace(/:$/, '') }
  }
}

/** A missing member keeps the chart's default, except for the rewrite flag. */
function readInjector(config: Json, values: Json): Injector {
  const proxy = memberAt(values, 'global', 'proxy')
  const version = parseVersion(scalarText(memberAt(values, 'global', 'tag')))
  return {
    policy: stringMember(config, 'policy') ?? stringMember(proxy, 'autoInject') ?? CHART_INJECTOR.policy,
    neverInjectSelector: readSelectors(config, 'neverInjectSelector'),
    alwaysInjectSelector: readSelectors(config, 'alwaysInjectSelector'),
    defaultTemplates: readNames(member(config, 'defaultTemplates')) ?? CHART_INJECTOR.defaultTemplates,
    aliases: readAliases(member(config, 'aliases')),
    templates: readTemplates(member(config, 'templates')),
    rewriteAppHTTPProbe: memberAt(values, 'sidecarInjectorWebhook', 'rewriteAppHTTPProbe') === true,
    includeInboundPorts: scalarText(member(proxy, 'includeInboundPorts')) ?? CHART_INJECTOR.includeInboundPorts,
    excludeInboundPorts: scalarText(member(proxy, 'excludeInboundPorts')) ?? CHART_INJECTOR.excludeInboundPorts,
    statusPort: scalarText(member(proxy, 'statusPort')) ?? CHART_INJECTOR.statusPort,
    outbound: readOutbound(proxy),
    cni: memberAt(values, 'pilot', 'cni', 'enabled') === true || memberAt(values, 'istio_cni', 'enabled') === true,
    nativeSidecars: hasNativeSidecars(scalarText(memberAt(values, 'pilot', 'env', 'ENABLE_NATIVE_SIDECARS')), version),
    network: scalarText(memberAt(values, 'global', 'network')) ?? '',
    version,
  }
}

/** Off by default before 1.27 (docs/facts/injection.md#native-sidecars). */
function hasNativeSidecars(wanted: string | undefined, version: Version | undefined): boolean {
  return isOlderThan(version, 1, 27) ? wanted === 'true' : wanted !== 'false'
}

function readOutbound(proxy: Json | undefined): Injector['outbound'] {
  const text = (key: keyof Injector['outbound']) => scalarText(member(proxy, key)) ?? CHART_INJECTOR.outbound[key]
  return {
    includeIPRanges: text('includeIPRanges'),
    excludeIPRanges: text('excludeIPRanges'),
    includeOutboundPorts: text('includeOutboundPorts'),
    excludeOutboundPorts: text('excludeOutboundPorts'),
  }
}

/** Selectors that Kubernetes cannot parse are skipped, as in the injector. */
function readSelectors(config: Json, key: string): readonly LabelSelector[] {
  return arrayMember(config, key).flatMap((value) => {
    const selector = parseSelector(value)
    return isProblem(selector) ? [] : [selector]
  })
}

function readNames(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? (value as readonly Json[]).filter((name) => typeof name === 'string') : undefined
}

function readAliases(value: Json | undefined): Injector['aliases'] {
  if (!isObject(value)) return new Map()
  return new Map(Object.entries(value).map(([name, aliases]) => [name, readNames(aliases) ?? []]))
}

/** A ConfigMap without templates, such as one shortened for a bug report, counts as the chart's. */
function readTemplates(value: Json | undefined): Injector['templates'] {
  if (!isObject(value)) return CHART_TEMPLATES
  return new Map(
    Object.entries(value).map(([name, text]) => [
      name,
      CHART_TEMPLATES.get(name) ?? readTemplate(scalarText(text) ?? ''),
    ]),
  )
}

/** A custom template is classified by the containers and the annotation in its text. */
function readTemplate(text: string): Template {
  return {
    proxyType: !/name:\s*["']?istio-proxy\b/.test(text)
      ? 'none'
      : /-\s*["']?router\b/.test(text)
        ? 'router'
        : 'sidecar',
    redirects: /name:\s*["']?istio-(init|validation)\b/.test(text),
    disablesEnvoy: /name:\s*["']?DISABLE_ENVOY\b/.test(text),
    rewriteAnnotation: /sidecar\.istio\.io\/rewriteAppHTTPProbers["']?:\s*["']?(\w+)/.exec(text)?.[1],
  }
}
