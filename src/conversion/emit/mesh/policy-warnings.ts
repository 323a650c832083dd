/** Warnings about policies that cover more or less than the Ingress asked for. */
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { ReportLine } from '../../model/report.ts'
import type { Route, VirtualHost } from '../../model/virtual-host.ts'
import type { PolicyScope } from './policy-scope.ts'

/** Whether the Ingress restricts its clients. */
export function isGuarded({ settings: { allowedSources, deniedSources, externalAuth } }: ReadIngress): boolean {
  return allowedSources !== undefined || deniedSources !== undefined || externalAuth !== undefined
}

export function guardLines(
  reading: ReadIngress,
  scope: PolicyScope,
  served: readonly VirtualHost[],
): readonly ReportLine[] {
  const hosts = [...new Set(scope.map(({ host }) => host))]
  const warnings = [
    hostWarning(hosts),
    ...hosts.map((host) => {
      const hit = scope.filter((one) => one.host === host).flatMap((one) => one.hit)
      return hit.length === 0 ? undefined : pathWarning(host, ownersOf(hit, reading))
    }),
    ...hosts.map((host) => wildcardWarning(host, reading, served)),
  ].filter((warning) => warning !== undefined)
  return warnings.map((warning) => ({
    ingress: reading.id,
    level: 'error',
    about: 'spec.rules',
    outcome: 'approximate',
    message: `SECURITY: ${warning}`,
  }))
}

function hostWarning(hosts: readonly string[]): string | undefined {
  if (hosts.includes('*')) return 'the policy applies to every host of the gateway, because the rule has no host'
  const wildcard = hosts.find((host) => host.startsWith('*.'))
  return (
    wildcard &&
    `a client that sends a port in its Host header bypasses the policy of ${wildcard}: a wildcard cannot match both forms. List the hosts by name`
  )
}

function pathWarning(host: string, owners: string): string {
  return `on ${host} the policy also applies to routes of ${owners}, because its patterns cannot exclude them. Use separate hosts`
}

/** Warns about hosts below a wildcard that have routes of other Ingresses. */
function wildcardWarning(wildcard: string, reading: ReadIngress, served: readonly VirtualHost[]): string | undefined {
  if (wildcard === '*') return undefined
  const below = served.filter(({ host }) => isCoveredByWildcard(host, wildcard))
  const others = below.flatMap(({ routes }) => routes).filter(({ ingress }) => ingress !== reading.id)
  if (others.length === 0) return undefined
  return `the policy of ${wildcard} also applies to the hosts below it, for which ${ownersOf(others, reading)} has routes. List the hosts by name instead`
}

/** Does not name Ingresses of other namespaces, which may belong to other tenants. */
function ownersOf(routes: readonly Route[], { ingress: { namespace } }: ReadIngress): string {
  const ids = [...new Set(routes.map(({ ingress }) => ingress))]
  const own = ids.filter((id) => id.startsWith(`${namespace}/`)).map((id) => `Ingress ${id}`)
  return [...own, ...(own.length < ids.length ? ['another namespace'] : [])].join(', ')
}
