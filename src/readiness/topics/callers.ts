/** Declared calls that arrive in plain text: from outside the mesh, around the caller's own sidecar, or by pod IP. */
import {
  EXCLUDE_OUTBOUND_IP_RANGES,
  EXCLUDE_OUTBOUND_PORTS,
  INCLUDE_OUTBOUND_IP_RANGES,
  INTERCEPTION_MODE,
} from '../../istio/annotations.ts'
import { arrayMember, memberAt, scalarText } from '../../kubernetes/json.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { parseRanges } from '../address-ranges.ts'
import type { Call } from '../call.ts'
import { finding, type Finding } from '../finding.ts'
import { targetPort } from '../container-port.ts'
import { closedTarget, describeReception, namespacesInScope, reception, type Situation } from '../situation.ts'
import type { Unit } from '../workload.ts'
import { sidecarHiding } from './sidecar-scope.ts'

export function findCallers(situation: Situation): readonly Finding[] {
  return namespacesInScope(situation).flatMap((namespace) =>
    situation.estate.callsTo(namespace).flatMap((call) => judgeCall(call, situation)),
  )
}

/** Returns the STRICT port that refuses a plain-text call, and why; undefined if no port does. */
export function closedByCall(
  call: Call,
  situation: Situation,
): { readonly port: number; readonly why: string } | undefined {
  for (const workload of call.target.workloads) {
    const closed = closedTarget(workload, (unit) => dialledPort(call, unit), situation)
    if (closed !== undefined)
      return {
        port: closed.port,
        why: `${describeReception(closed.port, closed.decision)} (${describe(workload.reference)})`,
      }
  }
  return undefined
}

function dialledPort({ target: { servicePort, service }, port, by }: Call, unit: Unit): number | undefined {
  if (by === 'pod-ip') return port ?? firstPort(unit)
  if (servicePort === undefined) return service === undefined ? undefined : (port ?? firstPort(unit))
  return targetPort(servicePort, unit)
}

function firstPort({ pod }: Unit): number | undefined {
  for (const { raw } of pod.containers) {
    const port = memberAt(arrayMember(raw, 'ports')[0], 'containerPort')
    if (typeof port === 'number') return port
  }
  return undefined
}

/**
 * | caller            | way                                                  | finding                |
 * |-------------------|------------------------------------------------------|------------------------|
 * | outside the mesh  | any, target STRICT                                   | plaintext-caller       |
 * | outside the mesh  | target not STRICT, server-first protocol             | server-first-hangs     |
 * | sidecar           | init container: injection.ts                         |                        |
 * | sidecar           | node port, target STRICT                             | plaintext-caller       |
 * | sidecar           | not redirected, target STRICT                        | outbound-bypass        |
 * | sidecar           | pod IP, not a TCP port of a headless Service, STRICT | pod-ip-call            |
 * | sidecar           | a Sidecar object leaves the Service out, STRICT      | sidecar-hides-service  |
 * | ambient           | any                                                  | none                   |
 */
function judgeCall(call: Call, situation: Situation): readonly Finding[] {
  return call.caller.units.flatMap((unit) => {
    if (unit.mesh.kind === 'refused' || (call.isInit && unit.mesh.kind === 'sidecar')) return []
    const closed = closedByCall(call, situation)
    if (unit.mesh.kind === 'outside')
      return closed === undefined ? serverFirst(call, situation) : [outsideCaller(call, closed, unit)]
    if (closed === undefined || unit.mesh.kind === 'ambient') return []
    if (call.by === 'node-port') return [outsideCaller(call, closed, unit)]
    const bypass = outboundBypass(unit, call)
    if (bypass !== undefined) return [bypassing(call, closed, bypass)]
    if (call.by === 'pod-ip' && !isHeadlessTcp(call)) return [byPodIp(call, closed)]
    const hidden = sidecarHiding(unit, call, situation)
    return hidden === undefined ? [] : [hiddenFrom(call, closed, hidden)]
  })
}

type Closed = NonNullable<ReturnType<typeof closedByCall>>

function common(call: Call, port: number) {
  const { reference } = call.caller
  return {
    object: reference,
    container: call.container,
    port,
    about: call.host,
    callers: [callerOf(reference)],
    scope: call.target.namespace,
  }
}

function callerOf({ kind, namespace, name }: ObjectReference) {
  return { kind, namespace, name }
}

function destination({ host, port }: Call): string {
  return port === undefined ? host : `${host}:${port}`
}

function outsideCaller(call: Call, { port, why }: Closed, unit: Unit): Finding {
  const how = unit.mesh.kind === 'outside' ? 'has no sidecar' : 'calls through a node port, around the mesh'
  return finding('plaintext-caller', {
    ...common(call, port),
    message: `${describe(call.caller.reference)} ${how} and calls ${destination(call)} in plain text, which is refused: ${why}.`,
    fix:
      unit.mesh.kind === 'outside'
        ? `Add ${describe(call.caller.reference)} to the mesh (label sidecar.istio.io/inject: "true" and a namespace that injects, then restart), or keep port ${port} PERMISSIVE.`
        : 'Call the Service by its name instead of a node address.',
  })
}

/** Ports of protocols in which the server speaks first. */
const SERVER_FIRST = new Map([
  [21, 'FTP'],
  [22, 'SSH'],
  [25, 'SMTP'],
  [110, 'POP3'],
  [143, 'IMAP'],
  [587, 'SMTP'],
  [3306, 'MySQL'],
])

function serverFirst(call: Call, situation: Situation): readonly Finding[] {
  for (const workload of call.target.workloads)
    for (const unit of workload.units) {
      const port = dialledPort(call, unit)
      const protocol = port === undefined ? undefined : SERVER_FIRST.get(port)
      if (port === undefined || protocol === undefined) continue
      const found = reception(unit, port, situation)
      if (found.kind !== 'open' || found.decision.mode !== 'PERMISSIVE') continue
      return [
        finding('server-first-hangs', {
          ...common(call, port),
          message: `${describe(call.caller.reference)} has no sidecar and calls ${destination(call)}: in ${protocol} the server speaks first, so the connection hangs even in PERMISSIVE.`,
          fix: `Add ${describe(call.caller.reference)} to the mesh, or set port ${port} of ${describe(workload.reference)} to DISABLE.`,
        }),
      ]
    }
  return []
}

export interface Bypass {
  readonly why: string
  readonly fix: string
}

/**
 * Returns why the container's traffic to the target is not redirected into its sidecar; undefined if it is redirected,
 * or if that is unknown (`tools/istio-iptables/pkg/capture/run.go`, docs/facts/traffic-capture.md).
 */
function outboundBypass(unit: Unit, call: Call): Bypass | undefined {
  const container = unit.pod.containers.find(({ name }) => name === call.container)
  const always = bypassesAlways(unit, container)
  if (always !== undefined) return always
  const settings = outboundSettings(unit)
  const port = call.port
  if (port !== undefined && settings.excludedPorts.includes(port))
    return { why: `excludeOutboundPorts contains ${port}`, fix: `Remove ${port} from ${EXCLUDE_OUTBOUND_PORTS}.` }
  const addresses = addressesOf(call)
  if (settings.include.trim() === '')
    return {
      why: 'includeOutboundIPRanges is empty',
      fix: `Remove ${INCLUDE_OUTBOUND_IP_RANGES}, or list the Service range in it.`,
    }
  const included = parseRanges(settings.include)
  const excluded = parseRanges(settings.exclude)
  if (settings.exclude !== '' && addresses.length > 0 && addresses.every((address) => excluded.has(address)))
    return {
      why: `excludeOutboundIPRanges contains ${addresses.join(', ')}`,
      fix: `Remove ${addresses.join(', ')} from ${EXCLUDE_OUTBOUND_IP_RANGES}.`,
    }
  if (settings.include !== '*' && addresses.length > 0 && !addresses.some((address) => included.has(address)))
    return {
      why: `includeOutboundIPRanges (${settings.include}) does not contain ${addresses.join(', ')}`,
      fix: `Add the Service and pod ranges of the cluster to ${INCLUDE_OUTBOUND_IP_RANGES}.`,
    }
  return undefined
}

function bypassesAlways(unit: Unit, container: Unit['pod']['containers'][number] | undefined): Bypass | undefined {
  if (unit.mesh.kind !== 'sidecar') return undefined
  const { capture } = unit.mesh.sidecar
  const mode = unit.pod.annotations.get(INTERCEPTION_MODE)
  if (mode === 'NONE' || (capture.kind === 'nothing' && capture.why.includes('NONE')))
    return { why: 'interceptionMode is NONE', fix: `Remove ${INTERCEPTION_MODE}: NONE.` }
  if (container === undefined) return undefined
  const identity = (key: string) =>
    memberAt(container.raw, 'securityContext', key) ?? memberAt(unit.pod.spec, 'securityContext', key)
  if (identity('runAsUser') === 1337)
    return {
      why: 'the container runs as UID 1337, like the sidecar',
      fix: 'Run the container as a UID other than 1337.',
    }
  if (identity('runAsGroup') === 1337)
    return {
      why: 'the container runs with GID 1337, like the sidecar',
      fix: 'Run the container with a GID other than 1337.',
    }
  return undefined
}

export interface OutboundSettings {
  readonly include: string
  readonly exclude: string
  readonly excludedPorts: readonly number[]
}

/** Reads the arguments of a running pod's istio-init, then the annotations, then the default: everything. */
export function outboundSettings({ pod, isRunning }: Unit): OutboundSettings {
  const init = isRunning ? pod.containers.find(({ name }) => name === 'istio-init') : undefined
  const args = init === undefined ? [] : arrayMember(init.raw, 'args').map((word) => scalarText(word) ?? '')
  const flag = (name: string, annotation: string, fallback: string) => {
    const at = args.indexOf(name)
    return (at === -1 ? pod.annotations.get(annotation) : args[at + 1]) ?? fallback
  }
  return {
    include: flag('-i', INCLUDE_OUTBOUND_IP_RANGES, '*'),
    exclude: flag('-x', EXCLUDE_OUTBOUND_IP_RANGES, ''),
    excludedPorts: flag('-o', EXCLUDE_OUTBOUND_PORTS, '')
      .split(',')
      .filter((text) => /^\s*\d+\s*$/.test(text))
      .map(Number),
  }
}

/** Returns the dialled addresses: the ClusterIPs, or the pod addresses of a headless Service. Empty if unknown. */
export function addressesOf({ by, host, target }: Pick<Call, 'by' | 'host' | 'target'>): readonly string[] {
  if (by === 'pod-ip' || by === 'cluster-ip') return [host]
  if (target.service?.isHeadless === true) return target.workloads.flatMap(({ addresses }) => addresses)
  return target.service?.clusterIPs ?? []
}

function bypassing(call: Call, { port, why }: Closed, bypass: Bypass): Finding {
  return finding('outbound-bypass', {
    ...common(call, port),
    message: `${describe(call.caller.reference)} calls ${destination(call)} without going through its sidecar (${bypass.why}), so the call arrives in plain text: ${why}.`,
    fix: bypass.fix,
  })
}

/** Istio has a listener for each pod address of a headless Service, on TCP ports only. */
function isHeadlessTcp({ target: { service, servicePort } }: Call): boolean {
  return service?.isHeadless === true && servicePort?.protocol === 'tcp'
}

function byPodIp(call: Call, { port, why }: Closed): Finding {
  return finding('pod-ip-call', {
    ...common(call, port),
    message: `${describe(call.caller.reference)} calls pod IP ${destination(call)}; its sidecar forwards the call in plain text, which is refused: ${why}.`,
    fix: 'Call the workload by a Service name; with a headless Service the client can still choose the pod.',
  })
}

function hiddenFrom(call: Call, { port, why }: Closed, sidecar: string): Finding {
  const { service } = call.target
  return finding('sidecar-hides-service', {
    ...common(call, port),
    message: `Sidecar ${sidecar} hides ${destination(call)} from ${describe(call.caller.reference)}, so the calls arrive in plain text or are blocked: ${why}.`,
    fix: `Add "${service?.namespace ?? call.target.namespace}/*" to spec.egress[].hosts of Sidecar ${sidecar}.`,
  })
}
