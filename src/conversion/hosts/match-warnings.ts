/** Warnings about path matching: controllers that may match differently, and paths that cannot be matched. */
import type { Problem } from '../../kubernetes/problem.ts'
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
  if (kind === 'prefix' && controller === 'istio')
    return `${value}x also matches, as the path says; Istio's own ingress controller matches whole path elements only`
  if (kind !== 'elements' || value === '/' || pathType !== 'ImplementationSpecific') return undefined
  if (controller === 'traefik') return `whole path elements match, as with Prefix; Traefik also matches ${value}x`
  if (controller !== 'unknown') return undefined
  return 'whole path elements match, as with Prefix; its controller may match differently'
}

/** Returns why a path cannot be matched at all. */
export function matchProblem(
  { path, field }: IngressPath,
  { kind, value }: PathMatch,
  { controller }: ReadIngress,
): Problem | undefined {
  const at = `${field}.path`
  if (controller === 'gce' && value.includes('*'))
    return {
      field: at,
      problem: `${path}: Google Cloud allows * only at the end of a path, after a /; the path is omitted`,
    }
  if (kind !== 'regex')
    return value.startsWith('/') ? undefined : { field: at, problem: `${path} must start with /; the path is omitted` }
  const problem = regexProblem(value)
  return problem === undefined ? undefined : { field: at, problem: `${path} ${problem}; the path is omitted` }
}
