/** What has to be said of a policy of the gateway that holds for more, or for less, than the Ingress asked for. */
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { Route, Site } from '../../model/virtual-host.ts'
import type { PolicyScope } from './gateway-policies.ts'

export function remarkScope(reading: ReadIngress, scope: PolicyScope, served: readonly Site[]): void {
  if (isGuarded(reading)) remarkGuard(reading, scope, served)
  if (reading.settings.rateLimit !== undefined) remarkLimit(reading, scope)
}

/** Whether policies are printed for it that say who may call. */
export function isGuarded({ settings: { allowedSources, deniedSources, externalAuth } }: ReadIngress): boolean {
  return allowedSources !== undefined || deniedSources !== undefined || externalAuth !== undefined
}

function remarkGuard(reading: ReadIngress, scope: PolicyScope, served: readonly Site[]): void {
  const cautions = [
    hostCaution(scope.map(({ host }) => host)),
    ...scope.map(({ host, paths, siblings }) => {
      const hit = siblings.filter((route) => isHit(route, paths))
      return hit.length === 0 ? undefined : pathCaution(host, ownersOf(hit, reading))
    }),
    ...scope.map(({ host }) => wildcardCaution(host, reading, served)),
  ].filter((caution) => caution !== undefined)
  for (const caution of cautions)
    reading.remarks.push({
      level: 'error',
      about: 'spec.rules',
      outcome: 'approximate',
      message: `SECURITY: ${caution}`,
    })
}

function hostCaution(hosts: readonly string[]): string | undefined {
  if (hosts.includes('*')) return 'the policy holds for every host of the gateway, as the rule has no host'
  const wildcard = hosts.find((host) => host.startsWith('*.'))
  return (
    wildcard &&
    `a client that sends a port with its Host passes by ${wildcard}: a policy has no pattern for both; name the hosts`
  )
}

/** Without paths all of the host is meant; a pattern also takes the longer paths that another Ingress has below it. */
function isHit({ match }: Route, paths: readonly string[] | undefined): boolean {
  if (paths === undefined) return true
  return (
    match.kind !== 'regex' &&
    paths.some((path) => (path.endsWith('*') ? match.value.startsWith(path.slice(0, -1)) : match.value === path))
  )
}

function pathCaution(host: string, owners: string): string {
  return `on ${host} the policy also holds for routes of ${owners}, as its patterns cannot leave them out: give either of them a host of its own`
}

/** Hosts below a wildcard, that others have routes of. */
function wildcardCaution(wildcard: string, reading: ReadIngress, served: readonly Site[]): string | undefined {
  if (wildcard === '*') return undefined
  const below = served.filter(({ host }) => isCoveredByWildcard(host, wildcard))
  const others = below.flatMap(({ routes }) => routes).filter(({ ingress }) => ingress !== reading.id)
  if (others.length === 0) return undefined
  return `the policy of ${wildcard} also holds for the hosts below it, which ${ownersOf(others, reading)} has routes of: name the hosts instead`
}

/** Ingresses of other namespaces are not named: their tenants are strangers. */
function ownersOf(routes: readonly Route[], { ingress: { namespace } }: ReadIngress): string {
  const ids = [...new Set(routes.map(({ ingress }) => ingress))]
  const own = ids.filter((id) => id.startsWith(`${namespace}/`)).map((id) => `Ingress ${id}`)
  return [...own, ...(own.length < ids.length ? ['another namespace'] : [])].join(', ')
}

/** The filter is of the virtual host, so that it has no paths. */
function remarkLimit(reading: ReadIngress, scope: PolicyScope): void {
  for (const { host, siblings } of scope.filter((one) => one.siblings.length > 0)) {
    const message = `the rate limit is one for all of ${host}, with the routes of ${ownersOf(siblings, reading)}: give either of them a host of its own`
    reading.remarks.push({ level: 'warn', about: 'spec.rules', outcome: 'approximate', message })
  }
}
