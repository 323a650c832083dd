/**
 * The rewrite-target of ingress-nginx for one path. nginx replaces the whole URI, Envoy only what the pattern matches, so the
 * pattern must span the path (docs/facts/ingress-nginx.md).
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
      problem: `${path} with ${rewriteTarget}: Gateway API cannot rewrite with capture groups; the path is omitted. Use --to istio`,
    }
  const pattern = match.value.replace(/^\(\?i\)/, '(?i)^')
  return {
    kind: 'regex',
    pattern: `${pattern}$`,
    substitution: substitutionOf(rewriteTarget, countGroups(path)),
    stripsPrefix: stripped,
  }
}

/** Turns `$2` into RE2's `\2`. A group that the path does not have is empty in nginx, and invalid in Envoy. */
function substitutionOf(rewriteTarget: string, groups: number): string {
  return rewriteTarget
    .replaceAll('\\', '\\\\')
    .replace(/\$(\d)/g, (_, group: string) => (Number(group) >= 1 && Number(group) <= groups ? `\\${group}` : ''))
}
