/**
 * ingress-nginx' rewrite-target for one path. nginx replaces the whole URI, Envoy only the part that the pattern
 * matches, so the pattern must span the path (docs/facts/ingress-nginx.md).
 */
import { trimEnd } from '../../kubernetes/trim-characters.ts'
import type { Problem } from '../../kubernetes/problem.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { isRewritten, literalTarget, locationPath } from '../annotations/nginx/rewritten-path.ts'
import type { Target } from '../model/conversion-options.ts'
import type { IngressSettings } from '../model/ingress-settings.ts'
import { prefixRewrite } from '../model/rewrite-idiom.ts'
import { countGroups, escapeRegex } from '../model/regular-expression.ts'
import type { PathMatch, PathRewrite } from '../model/virtual-host.ts'

export function pathRewrite(
  { path, pathType, field }: IngressPath,
  match: PathMatch,
  { rewriteTarget, usesRegex, stripsPath }: IngressSettings,
  target: Target,
): PathRewrite | Problem | undefined {
  if (stripsPath === true) return withoutPath(match)
  if (rewriteTarget === undefined || !isRewritten({ path, pathType }, rewriteTarget, usesRegex)) return undefined
  if (locationPath(path) === rewriteTarget && target === 'istio') return belowRewrite(rewriteTarget)
  const literal = literalTarget(path, rewriteTarget)
  if (literal !== undefined) return { kind: 'full', path: literal }
  const ofPrefix = prefixRewrite(path, rewriteTarget)
  if (target === 'gateway-api' && ofPrefix === undefined)
    return {
      field: `${field}.path`,
      problem: `${path} with ${rewriteTarget}: Gateway API cannot rewrite with capture groups; the path is omitted. Use --to istio`,
    }
  const pattern = match.value.replace(/^\(\?i\)/, '(?i)^')
  return {
    kind: 'regex',
    pattern: `${pattern}$`,
    substitution: substitutionOf(rewriteTarget, countGroups(path)),
    ofPrefix,
  }
}

/** Removes the part of the path that the rule matched. An empty rest becomes `/`. */
function withoutPath({ kind, value }: PathMatch): PathRewrite | undefined {
  if (value === '/') return undefined
  if (kind === 'exact') return { kind: 'full', path: '/' }
  if (kind === 'regex') return { kind: 'regex', pattern: `^${value}$`, substitution: '/', ofPrefix: undefined }
  const stripped = trimEnd(value, '/')
  return {
    kind: 'regex',
    pattern: `^${escapeRegex(stripped)}/*(.*)$`,
    substitution: '/\\1',
    ofPrefix: { prefix: stripped, replacement: '/', difference: undefined },
  }
}

/** The location `/app/` is rewritten and `/app` is not. Envoy does not change paths that the pattern does not match. */
function belowRewrite(rewriteTarget: string): PathRewrite {
  const pattern = `(?i)^${rewriteTarget}/.*$`
  return { kind: 'regex', pattern, substitution: substitutionOf(rewriteTarget, 0), ofPrefix: undefined }
}

/** Turns `$2` into RE2's `\2`. A group that the path does not have is empty in nginx but invalid in Envoy. */
function substitutionOf(rewriteTarget: string, groups: number): string {
  return rewriteTarget
    .replaceAll('\\', '\\\\')
    .replace(/\$(\d)/g, (_, group: string) => (Number(group) >= 1 && Number(group) <= groups ? `\\${group}` : ''))
}
