/**
 * Which of a pod's own calls its sidecar handles. Other calls leave in plain text, and a STRICT server refuses them
 * (`tools/istio-iptables/pkg/capture/run.go`, docs/facts/traffic-capture.md).
 */
import {
  EXCLUDE_OUTBOUND_IP_RANGES,
  EXCLUDE_OUTBOUND_PORTS,
  INCLUDE_OUTBOUND_IP_RANGES,
  INCLUDE_OUTBOUND_PORTS,
  INTERCEPTION_MODE,
} from '../istio/annotations.ts'
import { CHART_INJECTOR } from '../istio/control-plane.ts'
import { arrayMember, memberAt, scalarText } from '../kubernetes/json.ts'
import { parseRanges } from '../kubernetes/address-ranges.ts'
import type { Unit } from './workload.ts'

export interface OutboundSettings {
  /** CIDRs or `*`; empty for nothing. */
  readonly include: string
  readonly exclude: string
  readonly includedPorts: readonly number[]
  readonly excludedPorts: readonly number[]
}

export interface Bypass {
  readonly why: string
  readonly fix: string
}

/** `unknown`: it depends on an address that the input does not contain. */
export type OutboundRoute = 'redirected' | 'unknown' | Bypass

/**
 * | first match wins                                         | route                             |
 * |----------------------------------------------------------|-----------------------------------|
 * | interceptionMode NONE, or the user or group of the proxy | bypass                            |
 * | the port is in excludeOutboundPorts                      | bypass                            |
 * | every address is in excludeOutboundIPRanges              | bypass                            |
 * | the port is in includeOutboundPorts                      | redirected                        |
 * | includeOutboundIPRanges is `*` / is empty                | redirected / bypass               |
 * | no address is known                                      | unknown, bypass for public ranges |
 * | an address is in includeOutboundIPRanges / none is       | redirected / bypass               |
 */
export function outboundRoute(
  unit: Unit,
  container: string,
  addresses: readonly string[],
  port: number | undefined,
): OutboundRoute {
  const always = bypassesAlways(
    unit,
    unit.pod.containers.find(({ name }) => name === container),
  )
  if (always !== undefined) return always
  const settings = outboundSettings(unit)
  if (settings.include === '*' && settings.exclude === '' && settings.excludedPorts.length === 0) return 'redirected'
  if (port !== undefined && settings.excludedPorts.includes(port))
    return { why: `excludeOutboundPorts has ${port}`, fix: `Remove ${port} from ${EXCLUDE_OUTBOUND_PORTS}.` }
  const excluded = parseRanges(settings.exclude)
  if (addresses.length > 0 && addresses.every((address) => excluded.has(address)))
    return {
      why: `excludeOutboundIPRanges has ${addresses.join(', ')}`,
      fix: `Take ${addresses.join(', ')} out of ${EXCLUDE_OUTBOUND_IP_RANGES}.`,
    }
  if (port !== undefined && settings.includedPorts.includes(port)) return 'redirected'
  if (settings.include === '*') return addresses.length === 0 && !excluded.isEmpty ? 'unknown' : 'redirected'
  return byRanges(settings.include, addresses)
}

function byRanges(include: string, addresses: readonly string[]): OutboundRoute {
  if (include.trim() === '')
    return {
      why: 'includeOutboundIPRanges is empty',
      fix: `Remove ${INCLUDE_OUTBOUND_IP_RANGES}, or list the Service range in it.`,
    }
  const included = parseRanges(include)
  if (addresses.length === 0 && !included.isPublic) return 'unknown'
  if (addresses.some((address) => included.has(address))) return 'redirected'
  return {
    why: `includeOutboundIPRanges (${include}) leaves out ${addresses.length === 0 ? 'private addresses' : addresses.join(', ')}`,
    fix: `Add the Service and pod ranges of the cluster to ${INCLUDE_OUTBOUND_IP_RANGES}.`,
  }
}

function bypassesAlways(unit: Unit, container: Unit['pod']['containers'][number] | undefined): Bypass | undefined {
  if (unit.mesh.kind !== 'sidecar') return undefined
  const { capture } = unit.mesh.sidecar
  if (
    unit.pod.annotations.get(INTERCEPTION_MODE) === 'NONE' ||
    (capture.kind === 'nothing' && capture.because === 'mode')
  )
    return { why: 'interceptionMode is NONE', fix: `Remove ${INTERCEPTION_MODE}: NONE.` }
  return container && bypassByIdentity(unit, container)
}

/** Returns why nothing that the container sends is redirected: it runs as the proxy does. */
export function bypassByIdentity(unit: Unit, container: Unit['pod']['containers'][number]): Bypass | undefined {
  const identity = (key: string) =>
    memberAt(container.raw, 'securityContext', key) ?? memberAt(unit.pod.spec, 'securityContext', key)
  if (identity('runAsUser') === 1337)
    return {
      why: 'the container runs as UID 1337, as the proxy does',
      fix: 'Run the container as a user other than 1337.',
    }
  if (identity('runAsGroup') === 1337)
    return {
      why: 'the container runs with GID 1337, as the proxy does',
      fix: 'Run the container with a group other than 1337.',
    }
  return undefined
}

/** Reads the arguments of a running pod's istio-init, otherwise the annotations, otherwise the injector's values. */
export function outboundSettings(unit: Unit): OutboundSettings {
  const known = SETTINGS.get(unit)
  if (known !== undefined) return known
  const settings = readSettings(unit)
  SETTINGS.set(unit, settings)
  return settings
}

const SETTINGS = new WeakMap<Unit, OutboundSettings>()

function readSettings({ pod, isRunning, mesh }: Unit): OutboundSettings {
  const init = isRunning ? pod.containers.find(({ name }) => name === 'istio-init') : undefined
  const args = init && arrayMember(init.raw, 'args').map((word) => scalarText(word) ?? '')
  const defaults = ((mesh.kind === 'sidecar' ? mesh.sidecar.controlPlane.injector : undefined) ?? CHART_INJECTOR)
    .outbound
  const setting = (flag: string, annotation: string, fallback: string, absent = '') => {
    if (args === undefined || args.length === 0) return pod.annotations.get(annotation) ?? fallback
    const at = args.indexOf(flag)
    return at === -1 ? absent : (args[at + 1] ?? absent)
  }
  return {
    include: setting('-i', INCLUDE_OUTBOUND_IP_RANGES, defaults.includeIPRanges, '*'),
    exclude: setting('-x', EXCLUDE_OUTBOUND_IP_RANGES, defaults.excludeIPRanges),
    includedPorts: parsePorts(setting('-q', INCLUDE_OUTBOUND_PORTS, defaults.includeOutboundPorts)),
    excludedPorts: parsePorts(setting('-o', EXCLUDE_OUTBOUND_PORTS, defaults.excludeOutboundPorts)),
  }
}

function parsePorts(list: string): readonly number[] {
  return list
    .split(',')
    .filter((text) => /^\s*\d+\s*$/.test(text))
    .map(Number)
}
