/** Ways into a STRICT port from outside the mesh: load balancers, node ports, external IPs, host ports. */
import { describe } from '../../kubernetes/object.ts'
import { finding, type Finding } from '../finding.ts'
import { containerPorts } from '../container-port.ts'
import type { ExposedService } from '../service.ts'
import type { Unit, Workload } from '../workload.ts'
import {
  closedBehind,
  describeReception,
  namespacesInScope,
  reception,
  workloadsInScope,
  type Situation,
} from '../situation.ts'

export function* findOutsideTraffic(situation: Situation): Iterable<readonly Finding[]> {
  for (const namespace of namespacesInScope(situation))
    for (const service of situation.estate.servicesOf(namespace)) yield judgeService(service, situation)
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => judgeHostPorts(workload, unit, situation))
}

function judgeHostPorts(workload: Workload, unit: Unit, situation: Situation): readonly Finding[] {
  return containerPorts(unit.pod).flatMap(({ container, number, hostPort }) => {
    const found = hostPort === undefined ? undefined : reception(unit, number, situation)
    if (found?.kind !== 'closed') return []
    return [
      finding('host-port-refused', {
        object: workload.reference,
        container,
        port: number,
        message: `Host port ${String(hostPort)} maps to container ${container}, and ${describeReception(number, found.decision)}: callers without a mesh certificate are refused.`,
        fix: gatewayFix(number),
        scope: workload.namespace,
      }),
    ]
  })
}

function judgeService(service: ExposedService, situation: Situation): readonly Finding[] {
  const code = codeOf(service)
  if (code === undefined) return []
  return service.ports.flatMap((entry): readonly Finding[] => {
    const closed = closedBehind(service, entry, situation)
    if (closed === undefined) return []
    const way = entry.nodePort === undefined ? `port ${entry.port}` : `port ${entry.port} (node port ${entry.nodePort})`
    return [
      finding(code, {
        object: { apiVersion: 'v1', kind: 'Service', namespace: service.namespace, name: service.name },
        port: entry.port,
        message: `${WAYS[code]} ${way} goes straight to ${describe(closed.workload.reference)}, and ${describeReception(closed.port, closed.decision)}: callers without a mesh certificate are refused.`,
        fix: gatewayFix(closed.port),
        scope: service.namespace,
      }),
    ]
  })
}

const WAYS = {
  'load-balancer-refused': 'The load balancer of',
  'node-port-refused': 'The node port of',
  'external-ip-refused': 'An external IP for',
} as const

function codeOf({ type, externalIPs }: ExposedService): keyof typeof WAYS | undefined {
  if (type === 'LoadBalancer') return 'load-balancer-refused'
  if (type === 'NodePort') return 'node-port-refused'
  return externalIPs.length > 0 ? 'external-ip-refused' : undefined
}

export function gatewayFix(port: number): string {
  return `Expose it through a gateway of the mesh, or keep container port ${port} PERMISSIVE (portLevelMtls in a PeerAuthentication with a selector).`
}
