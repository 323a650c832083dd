/** DestinationRules and mesh settings with which mesh clients send traffic that a server refuses. */
import { describe } from '../../kubernetes/object.ts'
import { callerOf, finding, type Caller, type Finding } from '../finding.ts'
import type { ClientPolicy } from '../destination-rule.ts'
import { targetPort } from '../container-port.ts'
import type { ExposedService, ServicePort } from '../service.ts'
import { closedTarget, describeReception, namespacesInScope, reception, type Situation } from '../situation.ts'
import type { Workload } from '../workload.ts'

export function findClientPolicy(situation: Situation): readonly Finding[] {
  return namespacesInScope(situation).flatMap((namespace) =>
    situation.estate
      .servicesOf(namespace)
      .filter(({ type }) => type !== 'ExternalName')
      .flatMap((service) => service.ports.flatMap((entry) => judgePort(service, entry, situation))),
  )
}

function judgePort(service: ExposedService, entry: ServicePort, situation: Situation): readonly Finding[] {
  const { estate } = situation
  const policies = estate.destinationRules.clientPolicies(service, entry.port)
  const isManual = !estate.inventory.controlPlane('default').hasAutoMtls
  if (policies.length === 0 && !isManual) return []
  const workloads = estate.selectedBy(service)
  const found = policies.flatMap((policy) => {
    const broken = workloads.find((workload) => refuses(workload, policy, entry, situation))
    return broken === undefined ? [] : [report(policy, service, entry, broken, situation)]
  })
  return isManual ? [...found, ...withoutAutoMtls(service, entry, workloads, situation)] : found
}

/**
 * | the rule's tls          | server STRICT | PERMISSIVE | DISABLE, no sidecar or not captured |
 * |-------------------------|---------------|------------|--------------------------------------|
 * | DISABLE, SIMPLE, MUTUAL | refused       |            |                                      |
 * | ISTIO_MUTUAL            |               |            | refused                              |
 */
function refuses(workload: Workload, { tls }: ClientPolicy, entry: ServicePort, situation: Situation): boolean {
  return workload.units.some((unit) => {
    const port = targetPort(entry, unit)
    if (port === undefined) return false
    const found = reception(unit, port, situation)
    if (tls !== 'ISTIO_MUTUAL') return found.kind === 'closed'
    return found.kind === 'direct' || found.decision.mode === 'DISABLE'
  })
}

function report(
  { rule, tls, subset }: ClientPolicy,
  service: ExposedService,
  entry: ServicePort,
  workload: Workload,
  situation: Situation,
): Finding {
  const closed = closedTarget(workload, (unit) => targetPort(entry, unit), situation)
  const where = subset === undefined ? '' : ` in subset ${subset}`
  const to = `Service ${service.namespace}/${service.name}:${entry.port}`
  const callers = callersOf(rule, service, entry, situation)
  const shared = {
    object: rule.reference,
    port: entry.port,
    ...(callers.length === 0 ? {} : { callers }),
    about: `${service.namespace}/${service.name}/${subset ?? ''}`,
    scope: service.namespace,
  }
  if (tls === 'ISTIO_MUTUAL')
    return finding('destination-rule-mtls-refused', {
      ...shared,
      message: `It sets tls mode ISTIO_MUTUAL${where} for ${to}, but ${describe(workload.reference)} does not accept mutual TLS there: clients get a 503 or a connection reset.`,
      fix: `Remove trafficPolicy.tls${where} from DestinationRule ${rule.reference.namespace}/${rule.reference.name}.`,
    })
  return finding('destination-rule-plaintext', {
    ...shared,
    message: `It sets tls mode ${tls}${where} for ${to}, so mesh clients send no mesh certificate, and ${closed === undefined ? 'the port is STRICT' : describeReception(closed.port, closed.decision)} (${describe(workload.reference)}).`,
    fix: `Remove trafficPolicy.tls${where} from DestinationRule ${rule.reference.namespace}/${rule.reference.name}, or set its mode to ISTIO_MUTUAL.`,
  })
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
  workloads: readonly Workload[],
  situation: Situation,
): readonly Finding[] {
  for (const workload of workloads) {
    const closed = closedTarget(workload, (unit) => targetPort(entry, unit), situation)
    if (closed === undefined || !situation.estate.destinationRules.hasClientWithoutTls(service, entry.port)) continue
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
  return []
}
