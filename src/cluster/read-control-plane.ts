/**
 * Reads control planes from the ConfigMaps `istio[-rev]` (key `mesh`) and `istio-sidecar-injector[-rev]` (keys `config`
 * and `values`), docs/facts/injection.md#istiods-own-decision.
 */
import { REVISION } from '../istio/annotations.ts'
import { parse as parseYaml } from 'yaml'
import { messageOf } from '../errors.ts'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { parseSelector, type LabelSelector } from '../kubernetes/label-selector.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'
import {
  CHART_INJECTOR,
  CHART_TEMPLATES,
  unknownControlPlane,
  type ControlPlane,
  type IngressControllerMode,
  type Injector,
  type Template,
} from '../istio/control-plane.ts'
import { asInterceptionMode } from '../istio/proxy-config.ts'
import { isOlderThan, parseVersion, type Version } from '../istio/version.ts'
import { isProblem, type Problem } from '../kubernetes/problem.ts'

const MESH = 'istio'
const INJECTOR = 'istio-sidecar-injector'

/** The part of one revision's settings in one ConfigMap; the two of a revision are merged. */
export interface ControlPlanePart {
  readonly revision: string
  readonly mesh?: Omit<ControlPlane, 'injector' | 'revision'>
  readonly injector?: Injector
}

/** Returns undefined for a ConfigMap that is not Istio's. */
export function readControlPlanePart(object: JsonObject): ControlPlanePart | Problem | undefined {
  const name = stringMember(metadataOf(object), 'name') ?? ''
  const data = member(object, 'data')
  const injectorRevision = revisionIn(name, INJECTOR, object)
  if (injectorRevision !== undefined && (member(data, 'config') !== undefined || member(data, 'values') !== undefined))
    return readInjectorPart(injectorRevision, data)
  const meshRevision = revisionIn(name, MESH, object)
  if (meshRevision !== undefined && member(data, 'mesh') !== undefined) return readMeshPart(meshRevision, data)
  return undefined
}

/** Reads the label, otherwise the suffix of the name. A name without suffix is the default revision. */
function revisionIn(name: string, prefix: string, object: JsonObject): string | undefined {
  if (name !== prefix && !name.startsWith(`${prefix}-`)) return undefined
  return labelsOf(object).get(REVISION) ?? (name === prefix ? 'default' : name.slice(prefix.length + 1))
}

function readMeshPart(revision: string, data: Json | undefined): ControlPlanePart | Problem {
  const mesh = parseText(data, 'mesh')
  if ('problem' in mesh) return mesh
  const fallback = unknownControlPlane(revision)
  const statusPort = memberAt(mesh.value, 'defaultConfig', 'statusPort')
  return {
    revision,
    mesh: {
      rootNamespace: stringMember(mesh.value, 'rootNamespace') || fallback.rootNamespace,
      statusPort: typeof statusPort === 'number' ? statusPort : fallback.statusPort,
      interceptionMode:
        asInterceptionMode(memberAt(mesh.value, 'defaultConfig', 'interceptionMode')) ?? fallback.interceptionMode,
      hasAutoMtls: member(mesh.value, 'enableAutoMtls') !== false,
      mergesMetrics: member(mesh.value, 'enablePrometheusMerge') !== false,
      hasHbone:
        scalarText(memberAt(mesh.value, 'defaultConfig', 'proxyMetadata', 'ISTIO_META_ENABLE_HBONE')) === 'true',
      ingressClass: stringMember(mesh.value, 'ingressClass') ?? fallback.ingressClass,
      ingressControllerMode:
        asIngressMode(member(mesh.value, 'ingressControllerMode')) ?? fallback.ingressControllerMode,
    },
  }
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
