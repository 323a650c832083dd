/** Ways around the sidecar other than declared calls: excluded ports of Services, capture settings, IPv6. */
import { EXCLUDE_OUTBOUND_IP_RANGES, INCLUDE_OUTBOUND_IP_RANGES, INTERCEPTION_MODE } from '../../istio/annotations.ts'
import type { Capture } from '../../istio/capture.ts'
import { describe } from '../../kubernetes/object.ts'
import { parseRanges } from '../address-ranges.ts'
import { callerOf, finding, type Finding } from '../finding.ts'
import { targetPort } from '../container-port.ts'
import { modesOf, reception, workloadsInScope, type Situation } from '../situation.ts'
import { modeOfPort } from '../../istio/peer-authentication.ts'
import type { Unit, Workload } from '../workload.ts'
import { outboundSettings, type OutboundSettings } from '../outbound.ts'
import type { Estate } from '../estate.ts'

export function* findProxyBypass(situation: Situation): Iterable<readonly Finding[]> {
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => [
      ...excludedPorts(workload, unit, situation),
      ...interception(workload, unit),
      ...outbound(workload, unit, situation),
      ...ipv6(workload, unit, situation),
    ])
}

/** Skips ports that only the API server calls: they are excluded on purpose. */
function excludedPorts(workload: Workload, unit: Unit, situation: Situation): readonly Finding[] {
  const { mesh } = unit
  if (mesh.kind !== 'sidecar' || (mesh.sidecar.capture.kind === 'nothing' && !isAnnotated(unit))) return []
  if (!leavesPortsOut(mesh.sidecar.capture)) return []
  const { estate } = situation
  return estate.servicesSelecting(workload).flatMap((service) =>
    service.ports.flatMap((entry): readonly Finding[] => {
      const port = targetPort(entry, unit)
      if (port === undefined || isOfIstio(port)) return []
      const found = reception(unit, port, situation)
      if (found.kind !== 'direct' || modeOfPort(modesOf(unit, situation), port).mode === 'DISABLE') return []
      const policies = estate.destinationRules.clientPolicies(service, entry.port)
      if (policies.some(({ tls }) => tls === 'DISABLE')) return []
      const isCalledBack = estate
        .callbacksTo(service.namespace)
        .some((callback) => callback.service.name === service.name && callback.service.port === entry.port)
      if (isCalledBack) return []
      const callers = estate
        .callsToService(service)
        .filter(
          ({ target, by, caller }) =>
            target.servicePort === entry && by !== 'pod-ip' && caller.units.some((one) => one.mesh.kind === 'sidecar'),
        )
        .map(({ caller: { reference } }) => callerOf(reference))
      return [
        finding('excluded-port-behind-service', {
          severity: callers.length > 0 ? 'error' : 'warn',
          object: workload.reference,
          port,
          about: service.name,
          ...(callers.length > 0 ? { callers } : {}),
          message: `Service ${service.name}:${entry.port} targets port ${port}, which bypasses the sidecar (${found.why}); mesh clients send mutual TLS there and fail, even in PERMISSIVE.`,
          fix: `Redirect port ${port} again, or add a DestinationRule for ${service.name}.${service.namespace}.svc.cluster.local with portLevelSettings: [{port: {number: ${entry.port}}, tls: {mode: DISABLE}}].`,
          scope: workload.namespace,
        }),
      ]
    }),
  )
}

/** Whether a port of the application may lead past the sidecar. Most pods leave out Istio's own ports only. */
function leavesPortsOut(rule: Capture): boolean {
  return rule.kind !== 'all-but' || [...rule.excluded].some((port) => !isOfIstio(port))
}

function isOfIstio(port: number): boolean {
  return port >= 15000 && port <= 15100
}

function isAnnotated({ pod }: Unit): boolean {
  return pod.annotations.has('traffic.sidecar.istio.io/includeInboundPorts')
}

function interception(workload: Workload, unit: Unit): readonly Finding[] {
  const { mesh } = unit
  if (mesh.kind !== 'sidecar' || mesh.sidecar.capture.kind !== 'nothing' || mesh.sidecar.capture.because !== 'mode')
    return []
  return [
    finding('interception-none', {
      object: workload.reference,
      message: `The sidecar of ${describe(workload.reference)} intercepts no traffic (${mesh.sidecar.capture.why}): STRICT is not enforced, and outbound calls are plain text.`,
      fix: `Remove ${INTERCEPTION_MODE}: NONE.`,
      scope: workload.namespace,
    }),
  ]
}

/**
 * Applies regardless of declared calls: a client whose ranges exclude Services of the mesh may call one of them in
 * plain text.
 */
function outbound(workload: Workload, unit: Unit, { estate }: Situation): readonly Finding[] {
  if (unit.mesh.kind !== 'sidecar' || unit.mesh.sidecar.capture.kind === 'nothing') return []
  const leftOut = leftOutBy(outboundSettings(unit), estate)
  if (leftOut === undefined || leftOut === 'unknown') return []
  return [
    finding('outbound-bypass-possible', {
      object: workload.reference,
      message: `The sidecar of ${describe(workload.reference)} does not see what it sends to ${leftOut.addresses} (${leftOut.setting}): it is plain text.`,
      fix: leftOut.fix,
      scope: workload.namespace,
    }),
  ]
}

/**
 * Returns the workloads for which it is unknown whether their sidecar handles calls to Services, because no Service has
 * an address.
 */
export function unknownBypasses({ estate }: Situation): readonly Workload[] {
  return estate.workloads.filter(({ units }) =>
    units.some((unit) => unit.mesh.kind === 'sidecar' && leftOutBy(outboundSettings(unit), estate) === 'unknown'),
  )
}

interface LeftOut {
  readonly addresses: string
  readonly setting: string
  readonly fix: string
}

const LEFT_OUT = new WeakMap<Estate, Map<string, LeftOut | 'unknown' | undefined>>()

/** Thousands of workloads may have the same ranges, which are compared with all addresses once. */
function leftOutBy(settings: OutboundSettings, estate: Estate): LeftOut | 'unknown' | undefined {
  const { include, exclude } = settings
  if (include === '*' && exclude.trim() === '') return undefined
  const known = LEFT_OUT.get(estate) ?? new Map<string, LeftOut | 'unknown' | undefined>()
  LEFT_OUT.set(estate, known)
  const key = `${include} ${exclude}`
  if (!known.has(key)) known.set(key, compareRanges(settings, estate))
  return known.get(key)
}

function compareRanges({ include, exclude }: OutboundSettings, estate: Estate): LeftOut | 'unknown' | undefined {
  const [included, excluded] = [parseRanges(include), parseRanges(exclude)]
  const fix = `Remove ${INCLUDE_OUTBOUND_IP_RANGES} and ${EXCLUDE_OUTBOUND_IP_RANGES}, or redirect the Service and pod ranges of the cluster.`
  const setting =
    include === '*' ? `excludeOutboundIPRanges ${exclude}` : `includeOutboundIPRanges ${JSON.stringify(include)}`
  if (include !== '*' && included.isPublic) return { addresses: 'Services', setting, fix }
  const known = meshAddresses(estate)
  if (known.length === 0) return excluded.isEmpty || !excluded.isPublic || include !== '*' ? 'unknown' : undefined
  const missed = known.filter((address) => excluded.has(address) || !included.has(address))
  if (missed.length === 0) return undefined
  const [first = ''] = missed
  return {
    addresses: missed.length === 1 ? first : `${missed.length} addresses of Services, such as ${first}`,
    setting,
    fix,
  }
}

const ADDRESSES = new WeakMap<Estate, readonly string[]>()

/** Returns the ClusterIPs of Services with sidecars, and the pod addresses of those without a ClusterIP. */
function meshAddresses(estate: Estate): readonly string[] {
  const known = ADDRESSES.get(estate)
  if (known !== undefined) return known
  const found = estate.services.flatMap((service) => {
    const inside = estate.selectedBy(service).filter(({ units }) => units.some(({ mesh }) => mesh.kind === 'sidecar'))
    if (inside.length === 0) return []
    return service.isHeadless ? inside.flatMap(({ addresses }) => addresses) : service.clusterIPs
  })
  const addresses = [...new Set(found)]
  ADDRESSES.set(estate, addresses)
  return addresses
}

function ipv6(workload: Workload, unit: Unit, situation: Situation): readonly Finding[] {
  if (unit.mesh.kind !== 'sidecar' || unit.running === undefined) return []
  const { addresses } = unit.running
  const [first = ''] = addresses
  const isSecond = !first.includes(':') && addresses.some((address) => address.includes(':'))
  if (!isSecond || modesOf(unit, situation).workload.mode !== 'STRICT' || isDualStack(unit)) return []
  return [
    finding('ipv6-not-strict', {
      object: workload.reference,
      message: `Pods of ${describe(workload.reference)} have an IPv6 address that is not redirected: plain text to it reaches the application under STRICT.`,
      fix: 'Install Istio with ISTIO_DUAL_STACK=true (istiod and proxyMetadata), or give the pods one address family.',
      scope: workload.namespace,
    }),
  ]
}

/** In a dual-stack installation the pod carries the setting for istio-iptables in its environment. */
function isDualStack({ pod }: Unit): boolean {
  return pod.containers.some(
    ({ name, raw }) => name.startsWith('istio-') && JSON.stringify(raw['env'] ?? []).includes('DUAL_STACK'),
  )
}
