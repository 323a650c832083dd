/** DestinationRules and mesh settings with which mesh clients send traffic that a server refuses. */
import { describe } from '../../kubernetes/object.ts'
import { callerOf, finding, type Caller, type Finding } from '../finding.ts'
import type { ClientPolicy } from '../destination-rules.ts'
import { targetPort } from '../container-port.ts'
import type { ExposedService, ServicePort } from '../service.ts'
import {
  closedBehind,
  describeReception,
  namespacesInScope,
  reception,
  type ClosedTarget,
  type Situation,
} from '../situation.ts'
import type { Workload } from '../workload.ts'

export function* findClientPolicy(situation: Situation): Iterable<readonly Finding[]> {
  for (const namespace of namespacesInScope(situation))
    for (const service of situation.estate.servicesOf(namespace))
      if (service.type !== 'ExternalName') for (const entry of service.ports) yield judgePort(service, entry, situation)
}

function judgePort(service: ExposedService, entry: ServicePort, situation: Situation): readonly Finding[] {
  const { estate } = situation
  const policies = estate.destinationRules.clientPolicies(service, entry.port)
  const isManual = !estate.inventory.controlPlane('default').hasAutoMtls
  if (policies.length === 0 && !isManual) return []
  const closed = closedBehind(service, entry, situation)
  const found = policies.flatMap((policy) => {
    if (policy.tls !== 'ISTIO_MUTUAL')
      return closed === undefined ? [] : [plaintext(policy, service, entry, closed, situation)]
    const broken = estate.selectedBy(service).find((workload) => refusesMutualTls(workload, entry, situation))
    return broken === undefined ? [] : [mutualTls(policy, service, entry, broken, situation)]
  })
  return isManual && closed !== undefined ? [...found, ...withoutAutoMtls(service, entry, closed, situation)] : found
}

/**
 * | the rule's tls          | server STRICT | PERMISSIVE | DISABLE, no sidecar or not captured |
 * |-------------------------|---------------|------------|--------------------------------------|
 * | DISABLE, SIMPLE, MUTUAL | refused       |            |                                      |
 * | ISTIO_MUTUAL            |               |            | refused                              |
 */
function refusesMutualTls(workload: Workload, entry: ServicePort, situation: Situation): boolean {
  return workload.units.some((unit) => {
    const port = targetPort(entry, unit)
    if (port === undefined) return false
    const found = reception(unit, port, situation)
    return found.kind === 'direct' || found.decision.mode === 'DISABLE'
  })
}

function plaintext(
  policy: ClientPolicy,
  service: ExposedService,
  entry: ServicePort,
  closed: ClosedTarget,
  situation: Situation,
): Finding {
  const { rule, tls, subset } = policy
  return finding('destination-rule-plaintext', {
    ...commonOf(policy, service, entry, situation),
    message: `It sets tls mode ${tls}${within(subset)} for ${named(service, entry)}, so mesh clients send no mesh certificate, and ${describeReception(closed.port, closed.decision)} (${describe(closed.workload.reference)}).`,
    fix: `Remove trafficPolicy.tls${within(subset)} from DestinationRule ${rule.reference.namespace}/${rule.reference.name}, or set its mode to ISTIO_MUTUAL.`,
  })
}

function mutualTls(
  policy: ClientPolicy,
  service: ExposedService,
  entry: ServicePort,
  workload: Workload,
  situation: Situation,
): Finding {
  const { rule, subset } = policy
  return finding('destination-rule-mtls-refused', {
    ...commonOf(policy, service, entry, situation),
    message: `It sets tls mode ISTIO_MUTUAL${within(subset)} for ${named(service, entry)}, but ${describe(workload.reference)} does not accept mutual TLS there: clients get a 503 or a connection reset.`,
    fix: `Remove trafficPolicy.tls${within(subset)} from DestinationRule ${rule.reference.namespace}/${rule.reference.name}.`,
  })
}

function within(subset: string | undefined): string {
  return subset === undefined ? '' : ` in subset ${subset}`
}

function named({ namespace, name }: ExposedService, { port }: ServicePort): string {
  return `Service ${namespace}/${name}:${port}`
}

function commonOf(
  { rule, subset }: ClientPolicy,
  service: ExposedService,
  entry: ServicePort,
  situation: Situation,
): Pick<Finding, 'object' | 'port' | 'callers' | 'about' | 'scope'> {
  const callers = callersOf(rule, service, entry, situation)
  return {
    object: rule.reference,
    port: entry.port,
    ...(callers.length === 0 ? {} : { callers }),
    about: `${service.namespace}/${service.name}/${subset ?? ''}`,
    scope: service.namespace,
  }
}

/** The workloads in sidecars that name the Service and whose namespace follows the rule. */
function callersOf(
  rule: ClientPolicy['rule'],
  service: ExposedService,
  entry: ServicePort,
  { estate }: Situation,
): readonly Caller[] {
  const calls = estate
    .callsToService(service)
    .filter(
      ({ target, by, caller }) =>
        target.servicePort === entry &&
        by !== 'pod-ip' &&
        caller.units.some(({ mesh }) => mesh.kind === 'sidecar') &&
        estate.destinationRules.follows(caller, rule, service),
    )
  return [...new Map(calls.map(({ caller: { reference } }) => [describe(reference), callerOf(reference)])).values()]
}

function withoutAutoMtls(
  service: ExposedService,
  entry: ServicePort,
  closed: ClosedTarget,
  { estate }: Situation,
): readonly Finding[] {
  if (!estate.destinationRules.hasClientWithoutTls(service, entry.port)) return []
  return [
    finding('auto-mtls-off', {
      object: { apiVersion: 'v1', kind: 'Service', namespace: service.namespace, name: service.name },
      port: entry.port,
      message: `enableAutoMtls is false and no DestinationRule sets ISTIO_MUTUAL for Service ${service.namespace}/${service.name}, so mesh clients send plain text, and ${describeReception(closed.port, closed.decision)}.`,
      fix: 'Remove enableAutoMtls: false from the mesh configuration, or add a DestinationRule with trafficPolicy.tls.mode: ISTIO_MUTUAL for this host.',
      scope: service.namespace,
    }),
  ]
}
