/**
 * Policies of the gateway's pods for some hosts: which clients may call and which service authorizes requests. They are
 * in the gateway's namespace, so a platform team applies them.
 */
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import { collect, type Reported } from '../../model/report.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import { externalAuthPolicy, sourcePolicy, type AuthorizationPolicy } from './authorization-policy.ts'
import type { GatewayWorkload } from './gateway-workload.ts'
import { policyScope } from './policy-scope.ts'
import { guardLines, isGuarded } from './policy-warnings.ts'

/** `hosts` are the Ingresses' hosts; `served` are all hosts of the same pods. */
export function gatewayPolicies(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
  workload: GatewayWorkload,
  served: readonly VirtualHost[],
): Reported<readonly AuthorizationPolicy[]> {
  const policies = collect(readings.map((reading) => policiesOf(reading, hosts, workload, served)))
  return { value: policies.value.flat(), lines: policies.lines }
}

function policiesOf(
  reading: ReadIngress,
  hosts: readonly VirtualHost[],
  workload: GatewayWorkload,
  served: readonly VirtualHost[],
): Reported<readonly AuthorizationPolicy[]> {
  if (!isGuarded(reading)) return { value: [], lines: [] }
  const scope = policyScope(reading, hosts, served)
  if (scope.length === 0) return { value: [], lines: [] }
  const policies = [sourcePolicy(reading, scope, workload), externalAuthPolicy(reading, scope, workload)]
  return { value: policies.filter((policy) => policy !== undefined), lines: guardLines(reading, scope, served) }
}
