/**
 * The inbound ports of a pod that are redirected into its proxy
 * (docs/facts/traffic-capture.md#which-ports-are-redirected, docs/facts/traffic-capture.md#two-status-ports;
 * `tools/istio-iptables/pkg/capture/run.go`). Only a redirected port can require mutual TLS of kubelet.
 *
 * Redirection of inbound traffic ignores both the application's user and loopback
 * (docs/facts/traffic-capture.md#which-ports-are-redirected). They matter only to requests from inside the pod, such as
 * the prober's.
 */
import type { InterceptionMode } from './control-plane.ts'

/** Served by the proxy itself. The sidecar template excludes them regardless of annotations. */
const PROXY_PORTS = [15021, 15090]
/** HBONE. The nat table skips it; the mangle table, which TPROXY uses, does not (docs/facts/traffic-capture.md). */
const TUNNEL_PORT = 15008
/** The interface through which kubelet reaches a pod. */
const POD_INTERFACE = 'eth0'

export type Capture =
  | { readonly kind: 'nothing'; readonly because: NoCapture; readonly why: string }
  | { readonly kind: 'all-but'; readonly excluded: ReadonlySet<number>; readonly tproxy: boolean }
  | { readonly kind: 'only'; readonly included: ReadonlySet<number>; readonly tproxy: boolean }

/** What turns interception off: the mode NONE, empty port lists, interfaces, templates, the CNI plugin, the manifest. */
export type NoCapture = 'mode' | 'ports' | 'interfaces' | 'templates' | 'cni' | 'manifest'

export interface CaptureSettings {
  readonly mode: InterceptionMode
  /** `*`, a comma-separated list, or empty for none. */
  readonly includeInboundPorts: string
  /** A comma-separated list; ignored if the include list is explicit. */
  readonly excludeInboundPorts: string
  /** Ports that are excluded as well: the agent's status port, and those that the CNI plugin adds. */
  readonly alwaysExcluded: readonly number[]
  /** `traffic.sidecar.istio.io/excludeInterfaces`, a comma-separated list. */
  readonly excludeInterfaces: string
  /**
   * `istio.io/reroute-virtual-interfaces`, a comma-separated list. Exempt in the nat table only, which TPROXY does not
   * use.
   */
  readonly virtualInterfaces: string
}

/**
 * | interception | include | captured                                    |
 * |--------------|---------|---------------------------------------------|
 * | NONE         | any     | nothing                                     |
 * | other        | ""      | nothing                                     |
 * | other        | "*"     | all but excluded, 15021, 15090, status port |
 * | other        | list    | the listed, excluded or not                 |
 */
export function capture(settings: CaptureSettings): Capture {
  const { mode, includeInboundPorts: include } = settings
  if (mode === 'NONE') return { kind: 'nothing', because: 'mode', why: 'interceptionMode NONE' }
  if (include.trim() === '') return { kind: 'nothing', because: 'ports', why: 'includeInboundPorts is empty' }
  const tproxy = mode === 'TPROXY'
  if (names(settings.excludeInterfaces).includes(POD_INTERFACE))
    return { kind: 'nothing', because: 'interfaces', why: `excludeInterfaces contains ${POD_INTERFACE}` }
  if (!tproxy && names(settings.virtualInterfaces).includes(POD_INTERFACE))
    return { kind: 'nothing', because: 'interfaces', why: `reroute-virtual-interfaces contains ${POD_INTERFACE}` }
  if (include !== '*') return { kind: 'only', included: new Set(iptablesPorts(include)), tproxy }
  const excluded = [...iptablesPorts(settings.excludeInboundPorts), ...settings.alwaysExcluded, ...PROXY_PORTS]
  return { kind: 'all-but', excluded: new Set(excluded), tproxy }
}

/** iptables reads a leading zero as octal; Istio's validation reads the same digits as decimal. */
function iptablesPorts(list: string): readonly number[] {
  return list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => /^\d+$/.test(text))
    .map((text) => Number.parseInt(text, text.startsWith('0') ? 8 : 10))
}

function names(list: string): readonly string[] {
  return list.split(',').map((name) => name.trim())
}

/** Returns why the port is not captured; undefined if it is. */
export function uncapturedBecause(rule: Capture, port: number): string | undefined {
  if (rule.kind === 'nothing') return rule.why
  if (port === TUNNEL_PORT && !rule.tproxy) return `port ${port} is the mesh's own tunnel`
  if (rule.kind === 'only') return rule.included.has(port) ? undefined : `port ${port} is not in includeInboundPorts`
  return rule.excluded.has(port) ? `port ${port} is excluded from redirection` : undefined
}
