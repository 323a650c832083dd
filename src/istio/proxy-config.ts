/** The part of the mesh's `defaultConfig` that a pod may override: annotation `proxy.istio.io/config`, YAML or JSON. */
import { INTERCEPTION_MODE, PROXY_CONFIG } from './annotations.ts'
import { memberAt, scalarText } from '../kubernetes/json.ts'
import { nodesOf } from '../kubernetes/yaml-nodes.ts'
import { valueOf } from '../kubernetes/yaml-value.ts'
import type { ControlPlane, InterceptionMode } from './control-plane.ts'

/**
 * Returns the annotation, otherwise `proxy.istio.io/config`, otherwise the mesh's default; undefined if Istio refuses
 * the YAML.
 */
export function interceptionModeOf(
  annotations: ReadonlyMap<string, string>,
  controlPlane: ControlPlane,
): InterceptionMode | undefined {
  const own = asInterceptionMode(annotations.get(INTERCEPTION_MODE))
  const config = annotations.get(PROXY_CONFIG)
  if (config === undefined) return own ?? controlPlane.interceptionMode
  const parsed = parseProxyConfig(config)
  if (parsed === undefined) return undefined
  const configured = asInterceptionMode(memberAt(parsed, 'interceptionMode'))
  // REDIRECT is the enum's zero value, which protobuf merging treats as absent.
  return own ?? (configured === undefined || configured === 'REDIRECT' ? controlPlane.interceptionMode : configured)
}

/** Protobuf reads enums by name or by number. */
export function asInterceptionMode(value: unknown): InterceptionMode | undefined {
  const modes = ['REDIRECT', 'TPROXY', 'NONE'] as const
  return typeof value === 'number' ? modes[value] : modes.find((mode) => mode === value)
}

/** `ISTIO_META_ENABLE_HBONE` from `proxy.istio.io/config`, otherwise from the mesh. */
export function hasHbone(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): boolean {
  const config = annotations.get(PROXY_CONFIG)
  const own =
    config === undefined ? undefined : memberAt(parseProxyConfig(config), 'proxyMetadata', 'ISTIO_META_ENABLE_HBONE')
  return own === undefined ? controlPlane.hasHbone : scalarText(own) === 'true'
}

/** `statusPort` of a proxy's configuration; undefined if absent or 0, which protobuf treats as absent. */
export function configuredStatusPort(config: string | undefined): number | undefined {
  const port = config === undefined ? 0 : Number(scalarText(memberAt(parseProxyConfig(config), 'statusPort')) ?? 0)
  return port > 0 ? port : undefined
}

let last: { readonly text: string; readonly value: unknown } = { text: '', value: {} }

/** Each pod's annotation is read several times, so the last result is cached. */
function parseProxyConfig(text: string): unknown {
  if (text !== last.text) last = { text, value: readProxyConfig(text) }
  return last.value
}

/** Parses as sigs.k8s.io/yaml does: the last of duplicate keys counts. */
function readProxyConfig(text: string): unknown {
  try {
    const { value = null } = valueOf(nodesOf(text))
    return typeof value === 'object' ? (value ?? {}) : undefined
  } catch {
    return undefined
  }
}
