/** Warnings about path matching: controllers that may match differently, and paths that cannot be matched. */
import type { Problem } from '../../kubernetes/problem.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { regexProblem } from '../model/regular-expression.ts'
import type { PathMatch } from '../model/virtual-host.ts'

/**
 * Returns how the controller's own match may differ (docs/facts/istio-gateway.md#path-types).
 *
 * | controller | ImplementationSpecific | match      | its own match              |
 * |------------|------------------------|------------|----------------------------|
 * | istio      | /foo.*                 | prefix     | whole elements             |
 * | traefik    | /foo                   | elements   | text, `PathPrefix`         |
 * | unknown    | /foo                   | elements   | unknown                    |
 */
export function matchWarning(
  { pathType }: IngressPath,
  { kind, value }: PathMatch,
  { controller }: ReadIngress,
): string | undefined {
  const warning = traitsOf(controller).matchWarning
  if (warning?.kind !== kind || pathType !== 'ImplementationSpecific' || value === '/') return undefined
  return warning.text(value)
}

/** Returns why a path cannot be matched at all. */
export function matchProblem(
  { path, field }: IngressPath,
  { kind, value }: PathMatch,
  { controller }: ReadIngress,
): Problem | undefined {
  const at = `${field}.path`
  const wildcardProblem = value.includes('*') ? traitsOf(controller).innerWildcardProblem : undefined
  if (wildcardProblem !== undefined) return { field: at, problem: `${path}: ${wildcardProblem}; the path is omitted` }
  if (kind !== 'regex')
    return value.startsWith('/') ? undefined : { field: at, problem: `${path} must start with /; the path is omitted` }
  const problem = regexProblem(value)
  return problem === undefined ? undefined : { field: at, problem: `${path} ${problem}; the path is omitted` }
}
