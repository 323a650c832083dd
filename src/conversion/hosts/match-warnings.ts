/** What has to be said of how a path is matched: where the controller may do otherwise, and where no match is right. */
import type { Problem } from '../../kubernetes/problem.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { regexProblem } from '../model/regular-expression.ts'
import type { PathMatch } from '../model/virtual-host.ts'

/**
 * Where the controller may do otherwise (spec/ingress.md 1.4 and 1.9).
 *
 * | controller | ImplementationSpecific | match      | its own match              |
 * |------------|------------------------|------------|----------------------------|
 * | istio      | /foo.*                 | prefix     | whole elements             |
 * | traefik    | /foo                   | elements   | text, `PathPrefix`         |
 * | unknown    | /foo                   | elements   | not known                  |
 */
export function matchWarning(
  { pathType }: IngressPath,
  { kind, value }: PathMatch,
  { controller }: ReadIngress,
): string | undefined {
  if (kind === 'prefix' && controller === 'istio')
    return `${value}x is matched as well, as the path says; Istio's own controller takes whole path elements only`
  if (kind !== 'elements' || value === '/' || pathType !== 'ImplementationSpecific') return undefined
  if (controller === 'traefik') return `whole path elements are matched, as with Prefix; Traefik takes ${value}x, too`
  if (controller !== 'unknown') return undefined
  return 'whole path elements are matched, as with Prefix; what its controller matches is not known here'
}

/** Why a path cannot be matched at all. */
export function matchProblem(
  { path, field }: IngressPath,
  { kind, value }: PathMatch,
  { controller }: ReadIngress,
): Problem | undefined {
  const at = `${field}.path`
  if (controller === 'gce' && value.includes('*'))
    return { field: at, problem: `${path}: Google's paths have * at the end only, behind a /; the path is left out` }
  if (kind !== 'regex')
    return value.startsWith('/')
      ? undefined
      : { field: at, problem: `${path} has to start with /; the path is left out` }
  const problem = regexProblem(value)
  return problem === undefined ? undefined : { field: at, problem: `${path} ${problem}; the path is left out` }
}
