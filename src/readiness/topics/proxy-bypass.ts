/** Ways around the sidecar other than declared calls: excluded ports of Services, capture settings, IPv6. */
import { INTERCEPTION_MODE } from '../../istio/annotations.ts'
import type { Capture } from '../../istio/capture.ts'
import { describe } from '../../kubernetes/object.ts'
import { callerOf, finding, type Finding } from '../finding.ts'
import { targetPort } from '../container-port.ts'
import { modesOf, reception, workloadsInScope, type Situation } from '../situation.ts'
import { modeOfPort } from '../../istio/peer-authentication.ts'
import type { Unit, Workload } from '../workload.ts'
import { possibleBypasses } from './possible-bypass.ts'

export function* findProxyBypass(situation: Situation): Iterable<readonly Finding[]> {
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => [
      ...excludedPorts(workload, unit, situation),
      ...interception(workload, unit),
      ...possibleBypasses(workload, unit, situation.estate),
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
