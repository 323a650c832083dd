/** Declared calls that arrive in plain text: from outside the mesh, around the caller's own sidecar, or by pod IP. */
import { describe } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { callerOf, finding, type Finding } from '../finding.ts'
import { containerPorts, portNumber } from '../container-port.ts'
import { isAddress } from '../address-ranges.ts'
import { outboundRoute, type Bypass } from '../outbound.ts'
import {
  closedAmong,
  closedTarget,
  describeReception,
  namespacesInScope,
  reception,
  type ClosedTarget,
  type Situation,
} from '../situation.ts'
import { hasNativeSidecar, type Unit } from '../workload.ts'
import { sidecarHiding } from './sidecar-scope.ts'

export function* findCallers(situation: Situation): Iterable<readonly Finding[]> {
  for (const namespace of namespacesInScope(situation))
    for (const call of situation.estate.callsTo(namespace)) yield judgeCall(call, situation)
}

/**
 * Returns the namespaces with a call to a STRICT port that depends on unknown addresses: whether the caller's sidecar
 * handles it.
 */
export function unknownRoutes(situation: Situation): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const namespace of namespacesInScope(situation)) {
    const call = situation.estate
      .callsTo(namespace)
      .find(
        (one) =>
          one.caller.units.some(
            (unit) =>
              unit.mesh.kind === 'sidecar' &&
              outboundRoute(unit, one.container, addressesOf(one), one.port) === 'unknown',
          ) && closedByCall(one, situation) !== undefined,
      )
    if (call !== undefined) found.set(namespace, `${describe(call.caller.reference)} to ${destination(call)}`)
  }
  return found
}

/** Returns the STRICT port that refuses a plain-text call, and why; undefined if no port does. */
export function closedByCall(
  call: Call,
  situation: Situation,
): { readonly port: number; readonly why: string } | undefined {
  const closed = targetOf(call, situation)
  if (closed === undefined) return undefined
  const { port, decision, workload } = closed
  return { port, why: `${describeReception(port, decision)} (${describe(workload.reference)})` }
}

function targetOf(call: Call, situation: Situation): ClosedTarget | undefined {
  const { workloads, service } = call.target
  const dialled = dialledTarget(call)
  if (dialled !== undefined) return closedAmong(workloads, dialled, situation)
  if (call.by !== 'pod-ip' && service === undefined) return undefined
  for (const workload of workloads) {
    const port = firstPort(workload.units[0])
    const closed = port === undefined ? undefined : closedTarget(workload, port, situation)
    if (closed !== undefined) return closed
  }
  return undefined
}

/** The pods' port by number or by name; undefined if the call gives none, and the Service has none for it. */
function dialledTarget({ target: { servicePort }, port, by }: Call): number | string | undefined {
  return by === 'pod-ip' ? port : (servicePort?.target ?? port)
}

function dialledPort(call: Call, unit: Unit): number | undefined {
  const dialled = dialledTarget(call)
  return dialled === undefined ? firstPort(unit) : portNumber(dialled, unit)
}

function firstPort(unit: Unit | undefined): number | undefined {
  return unit && containerPorts(unit.pod)[0]?.number
}

/**
 * | caller            | way                                                  | finding                |
 * |-------------------|------------------------------------------------------|------------------------|
 * | outside the mesh  | any, target STRICT                                   | plaintext-caller       |
 * | outside the mesh  | target not STRICT, server-first protocol             | server-first-hangs     |
 * | sidecar, not native | init container: injection.ts                       |                        |
 * | sidecar           | node port or load balancer, target STRICT            | plaintext-caller       |
 * | sidecar           | not redirected, target STRICT                        | outbound-bypass        |
 * | sidecar           | pod IP, not a TCP port of a headless Service, STRICT | pod-ip-call            |
 * | sidecar           | a Sidecar object leaves the Service out, STRICT      | sidecar-hides-service  |
 * | outside, sidecar  | TLS to a Service port that is declared as HTTP       | tls-to-http-port       |
 * | ambient           | any                                                  | none                   |
 */
function judgeCall(call: Call, situation: Situation): readonly Finding[] {
  return call.caller.units.flatMap((unit) => {
    if (unit.mesh.kind === 'refused' || (call.isInit && unit.mesh.kind === 'sidecar' && !hasNativeSidecar(unit)))
      return []
    const closed = closedByCall(call, situation)
    if (unit.mesh.kind === 'outside')
      return closed === undefined
        ? [...serverFirst(call, situation), ...tlsToHttp(call, unit, situation)]
        : [outsideCaller(call, closed, unit)]
    if (unit.mesh.kind === 'ambient') return []
    if (closed === undefined) return tlsToHttp(call, unit, situation)
    if (call.by === 'node-port' || call.by === 'load-balancer') return [outsideCaller(call, closed, unit)]
    const route = outboundRoute(unit, call.container, addressesOf(call), call.port)
    if (typeof route === 'object') return [bypassing(call, closed, route)]
    if (call.by === 'pod-ip' && !isHeadlessTcp(call)) return [byPodIp(call, closed)]
    const hidden = sidecarHiding(unit, call, situation)
    return hidden === undefined ? tlsToHttp(call, unit, situation) : [hiddenFrom(call, closed, hidden)]
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

function destination({ host, port }: Call): string {
  return port === undefined ? host : `${host}:${port}`
}

function outsideCaller(call: Call, { port, why }: Closed, unit: Unit): Finding {
  const way = call.by === 'node-port' ? 'a node port' : 'an external address'
  const how = unit.mesh.kind === 'outside' ? 'has no sidecar' : `calls through ${way}, around the mesh,`
  return finding('plaintext-caller', {
    ...common(call, port),
    message: `${describe(call.caller.reference)} ${how} and calls ${destination(call)} in plain text, which is refused: ${why}.`,
    fix:
      unit.mesh.kind === 'outside'
        ? `Add ${describe(call.caller.reference)} to the mesh (label sidecar.istio.io/inject: "true" and a namespace that injects, then restart), or keep port ${port} PERMISSIVE.`
        : 'Call the Service by its name inside the cluster.',
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

/** A sidecar on either side reads the TLS handshake as HTTP. */
function tlsToHttp(call: Call, unit: Unit, situation: Situation): readonly Finding[] {
  const { servicePort, workloads } = call.target
  if (!call.isTls || servicePort === undefined || call.by === 'pod-ip') return []
  if (servicePort.protocol !== 'http' && servicePort.protocol !== 'http2') return []
  const isRedirected =
    unit.mesh.kind === 'sidecar' && outboundRoute(unit, call.container, addressesOf(call), call.port) === 'redirected'
  const server = workloads.find(({ units }) => units.some((one) => readsInbound(call, one, situation)))
  if (!isRedirected && server === undefined) return []
  const { service } = call.target
  const reader = isRedirected
    ? 'its own sidecar'
    : `the sidecar of ${server === undefined ? '' : describe(server.reference)}`
  return [
    finding('tls-to-http-port', {
      ...common(call, servicePort.port),
      message: `${describe(call.caller.reference)} calls ${destination(call)} with TLS, but the Service declares port ${servicePort.port} as HTTP, so ${reader} refuses the handshake, STRICT or not.`,
      fix: `Rename port ${servicePort.port} of Service ${service?.namespace ?? ''}/${service?.name ?? ''} to https, or set its appProtocol to https.`,
    }),
  ]
}

function readsInbound(call: Call, unit: Unit, situation: Situation): boolean {
  const port = dialledPort(call, unit)
  return unit.mesh.kind === 'sidecar' && port !== undefined && reception(unit, port, situation).kind === 'open'
}

/** Returns the dialled addresses: the ClusterIPs, or the pod addresses of a headless Service. Empty if unknown. */
function addressesOf({ by, host, target }: Pick<Call, 'by' | 'host' | 'target'>): readonly string[] {
  if (by === 'cluster-ip') return [host]
  if (by === 'pod-ip' && isAddress(host)) return [host]
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
    message: `${describe(call.caller.reference)} calls ${isAddress(call.host) ? 'pod IP' : 'pods behind'} ${destination(call)}${isAddress(call.host) ? '' : ', a port that the headless Service does not list'}; its sidecar forwards the call in plain text, which is refused: ${why}.`,
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
