/**
 * Which inbound ports of a pod are redirected into its proxy (docs/facts/traffic-capture.md#which-ports-are-redirected,
 * docs/facts/traffic-capture.md#two-status-ports; `tools/istio-iptables/pkg/capture/run.go`). Only a redirected port can
 * demand mutual TLS of kubelet.
 *
 * Two things never matter here: the user the application runs as, and loopback. Redirection of inbound traffic looks at
 * neither (docs/facts/traffic-capture.md#which-ports-are-redirected); both matter to a request made inside the pod, which
 * is the prober's affair.
 */
import type { InterceptionMode } from './control-plane.ts'

/** Served by the proxy itself and excluded by the sidecar template, whatever the annotations say. */
const PROXY_PORTS = [15021, 15090]
/** HBONE; the nat table lets it pass, the mangle table that TPROXY uses does not (section 7). */
const TUNNEL_PORT = 15008
/** The interface by which kubelet reaches a pod. */
const POD_INTERFACE = 'eth0'

export type Capture =
  | { readonly kind: 'nothing'; readonly why: string }
  | { readonly kind: 'all-but'; readonly excluded: ReadonlySet<number>; readonly tproxy: boolean }
  | { readonly kind: 'only'; readonly included: ReadonlySet<number>; readonly tproxy: boolean }

export interface CaptureSettings {
  readonly mode: InterceptionMode
  /** `*`, a comma list, or empty for nothing. */
  readonly includeInboundPorts: string
  /** A comma list; not read beside an explicit include list. */
  readonly excludeInboundPorts: string
  /** Ports excluded besides: the agent's status port, and what the CNI plugin adds. */
  readonly alwaysExcluded: readonly number[]
  /** `traffic.sidecar.istio.io/excludeInterfaces`, a comma list. */
  readonly excludeInterfaces: string
  /** `istio.io/reroute-virtual-interfaces`, a comma list; exempt in the nat table only, which TPROXY does not use. */
  readonly virtualInterfaces: string
}

/**
 * | interception | include | captured                                        |
 * |--------------|---------|-------------------------------------------------|
 * | NONE         | any     | nothing                                         |
 * | other        | ""      | nothing                                         |
 * | other        | "*"     | all but the excluded, 15021, 15090, status port |
 * | other        | list    | the listed, excluded or not                     |
 */
export function capture(settings: CaptureSettings): Capture {
  const { mode, includeInboundPorts: include } = settings
  if (mode === 'NONE') return { kind: 'nothing', why: 'interceptionMode NONE' }
  if (include.trim() === '') return { kind: 'nothing', why: 'includeInboundPorts is empty' }
  const tproxy = mode === 'TPROXY'
  if (names(settings.excludeInterfaces).includes(POD_INTERFACE))
    return { kind: 'nothing', why: `excludeInterfaces has ${POD_INTERFACE}` }
  if (!tproxy && names(settings.virtualInterfaces).includes(POD_INTERFACE))
    return { kind: 'nothing', why: `reroute-virtual-interfaces has ${POD_INTERFACE}` }
  if (include !== '*') return { kind: 'only', included: new Set(iptablesPorts(include)), tproxy }
  const excluded = [...iptablesPorts(settings.excludeInboundPorts), ...settings.alwaysExcluded, ...PROXY_PORTS]
  return { kind: 'all-but', excluded: new Set(excluded), tproxy }
}

/** iptables takes a leading zero for octal, where Istio's validation read the same digits as decimal. */
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

/** Undefined where the port is captured, else why it is not. */
export function uncapturedBecause(rule: Capture, port: number): string | undefined {
  if (rule.kind === 'nothing') return rule.why
  if (port === TUNNEL_PORT && !rule.tproxy) return `port ${port} is the mesh's own tunnel`
  if (rule.kind === 'only') return rule.included.has(port) ? undefined : `port ${port} is not in includeInboundPorts`
  return rule.excluded.has(port) ? `port ${port} is excluded from redirection` : undefined
}
