/**
 * ingress-nginx' rewrite-target for one path. nginx replaces the whole URI by the target, Envoy what the pattern matches:
 * so the pattern has to span the path (spec/ingress.md 2.4, rows 2 and 3).
 */
import type { Problem } from '../../kubernetes/problem.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { Target } from '../model/conversion-options.ts'
import { strippedPrefix } from '../model/rewrite-idiom.ts'
import { countGroups } from '../model/regular-expression.ts'
import type { PathMatch, PathRewrite } from '../model/virtual-host.ts'

export function pathRewrite(
  { path, field }: IngressPath,
  match: PathMatch,
  rewriteTarget: string | undefined,
  target: Target,
): PathRewrite | Problem | undefined {
  if (rewriteTarget === undefined) return undefined
  if (!/\$\d/.test(rewriteTarget)) return { kind: 'full', path: rewriteTarget }
  const stripped = strippedPrefix(path, rewriteTarget)
  if (target === 'gateway-api' && stripped === undefined)
    return {
      field: `${field}.path`,
      problem: `${path} with ${rewriteTarget}: Gateway API has no rewrite with groups; the path is left out; --to istio has it`,
    }
  const pattern = match.value.replace(/^\(\?i\)/, '(?i)^')
  return {
    kind: 'regex',
    pattern: `${pattern}$`,
    substitution: substitutionOf(rewriteTarget, countGroups(path)),
    stripsPrefix: stripped,
  }
}

/** `$2` as RE2's `\2`; a group that the path has not is empty in nginx, and refused by Envoy. */
function substitutionOf(rewriteTarget: string, groups: number): string {
  return rewriteTarget
    .replaceAll('\\', '\\\\')
    .replace(/\$(\d)/g, (_, group: string) => (Number(group) >= 1 && Number(group) <= groups ? `\\${group}` : ''))
}
