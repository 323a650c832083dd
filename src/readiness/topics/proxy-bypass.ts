/** Ways around the sidecar other than declared calls: excluded ports of Services, capture settings, IPv6. */
import { INCLUDE_OUTBOUND_IP_RANGES, INTERCEPTION_MODE } from '../../istio/annotations.ts'
import { describe } from '../../kubernetes/object.ts'
import { parseRanges } from '../address-ranges.ts'
import { finding, type Finding } from '../finding.ts'
import { targetPort } from '../container-port.ts'
import { modesOf, reception, workloadsInScope, type Situation } from '../situation.ts'
import { modeOfPort } from '../../istio/peer-authentication.ts'
import type { Unit, Workload } from '../workload.ts'
import { outboundSettings } from './callers.ts'

export function findProxyBypass(situation: Situation): readonly Finding[] {
  return workloadsInScope(situation).flatMap((workload) =>
    workload.units.flatMap((unit) => [
      ...excludedPorts(workload, unit, situation),
      ...interception(workload, unit),
      ...outbound(workload, unit, situation),
      ...ipv6(workload, unit, situation),
    ]),
  )
}

/** Skips ports that only the API server calls: they are excluded on purpose. */
function excludedPorts(workload: Workload, unit: Unit, situation: Situation): readonly Finding[] {
  const { mesh } = unit
  if (mesh.kind !== 'sidecar' || (mesh.sidecar.capture.kind === 'nothing' && !isAnnotated(unit))) return []
  const { estate } = situation
  return estate.servicesSelecting(workload).flatMap((service) =>
    service.ports.flatMap((entry): readonly Finding[] => {
      const port = targetPort(entry, unit)
      if (port === undefined || (port >= 15000 && port <= 15100)) return []
      const found = reception(unit, port, situation)
      if (found.kind !== 'direct' || modeOfPort(modesOf(unit, situation), port).mode === 'DISABLE') return []
      const policies = estate.destinationRules.clientPolicies(service, entry.port)
      if (policies.some(({ tls }) => tls === 'DISABLE')) return []
      const isCalledBack = estate
        .callbacksTo(service.namespace)
        .some((callback) => callback.service.name === service.name && callback.service.port === entry.port)
      if (isCalledBack) return []
      const callers = estate
        .callsTo(service.namespace)
        .filter(
          ({ target, by, caller }) =>
            target.service === service &&
            target.servicePort === entry &&
            by !== 'pod-ip' &&
            caller.units.some((one) => one.mesh.kind === 'sidecar'),
        )
        .map(({ caller: { reference } }) => ({
          kind: reference.kind,
          namespace: reference.namespace,
          name: reference.name,
        }))
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

function isAnnotated({ pod }: Unit): boolean {
  return pod.annotations.has('traffic.sidecar.istio.io/includeInboundPorts')
}

function interception(workload: Workload, unit: Unit): readonly Finding[] {
  const { mesh } = unit
  if (mesh.kind !== 'sidecar' || mesh.sidecar.capture.kind !== 'nothing' || !mesh.sidecar.capture.why.includes('NONE'))
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

/** Reports include ranges that contain no known ClusterIP. If no ClusterIP is known, only an empty list is certain. */
function outbound(workload: Workload, unit: Unit, { estate }: Situation): readonly Finding[] {
  if (unit.mesh.kind !== 'sidecar' || unit.mesh.sidecar.capture.kind === 'nothing') return []
  const { include } = outboundSettings(unit)
  if (include === '*') return []
  const addresses = estate.inventory.list('services').flatMap(({ clusterIPs }) => clusterIPs)
  const ranges = parseRanges(include)
  const leavesOut = include.trim() === '' || (addresses.length > 0 && !addresses.some((address) => ranges.has(address)))
  if (!leavesOut) return []
  return [
    finding('outbound-bypass-possible', {
      object: workload.reference,
      message: `includeOutboundIPRanges of ${describe(workload.reference)} is ${JSON.stringify(include)} and contains no Service address: its calls to other workloads are plain text.`,
      fix: `Remove ${INCLUDE_OUTBOUND_IP_RANGES}, or add the Service and pod ranges of the cluster.`,
      scope: workload.namespace,
    }),
  ]
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
