/** Declared calls that arrive in plain text: from outside the mesh, around the caller's own sidecar, or by pod IP. */
import { describe } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { finding, type Finding } from '../finding.ts'
import { isAddress } from '../../kubernetes/address-ranges.ts'
import { outboundRoute, type Bypass } from '../outbound.ts'
import { namespacesInScope, type Situation } from '../situation.ts'
import { hasNativeSidecar, type Unit } from '../workload.ts'
import { addressesOf, closedByCall, common, destination } from './call-facts.ts'
import { hangingCall, hangingMeshCall, tlsToHttp } from './misread-call.ts'
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

/**
 * | caller            | way                                                  | finding                |
 * |-------------------|------------------------------------------------------|------------------------|
 * | outside the mesh  | any, target STRICT                                   | plaintext-caller       |
 * | outside the mesh, or not redirected | target not STRICT, client silent    | server-first-hangs     |
 * | sidecar, not native | init container: injection.ts                       |                        |
 * | sidecar           | node port or load balancer, target STRICT            | plaintext-caller       |
 * | sidecar           | not redirected, target STRICT                        | outbound-bypass        |
 * | sidecar           | pod IP, not a TCP port of a headless Service, STRICT | pod-ip-call            |
 * | sidecar           | a Sidecar object leaves the Service out, STRICT      | sidecar-hides-service  |
 * | sidecar           | client silent, the Service port not declared TCP     | server-first-hangs     |
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
        ? [...hangingCall(call, situation), ...tlsToHttp(call, unit, situation)]
        : [outsideCaller(call, closed, unit)]
    if (unit.mesh.kind === 'ambient') return []
    if (closed === undefined) return misread(call, unit, situation)
    if (call.by === 'node-port' || call.by === 'load-balancer') return [outsideCaller(call, closed, unit)]
    const route = outboundRoute(unit, call.container, addressesOf(call), call.port)
    if (typeof route === 'object') return [bypassing(call, closed, route)]
    if (call.by === 'pod-ip' && !isHeadlessTcp(call)) return [byPodIp(call, closed)]
    const hidden = sidecarHiding(unit, call, situation)
    return hidden === undefined ? misread(call, unit, situation) : [hiddenFrom(call, closed, hidden)]
  })
}

function misread(call: Call, unit: Unit, situation: Situation): readonly Finding[] {
  const route = outboundRoute(unit, call.container, addressesOf(call), call.port)
  const passesBy = typeof route === 'object' || call.by === 'node-port' || call.by === 'load-balancer'
  const hanging = passesBy ? hangingCall(call, situation) : call.by === 'pod-ip' ? [] : hangingMeshCall(call)
  return [...hanging, ...tlsToHttp(call, unit, situation)]
}

type Closed = NonNullable<ReturnType<typeof closedByCall>>

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
