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
  ingressPath: IngressPath,
  match: PathMatch,
  settings: IngressSettings,
  target: Target,
): PathRewrite | Problem | undefined {
  const { path, pathType, field } = ingressPath
  const { rewriteTarget, usesRegex } = settings
  const replaced = otherRewrite(ingressPath, match, settings)
  if (replaced !== undefined) {
    const isPrintable = target === 'istio' || replaced.kind === 'full' || replaced.ofPrefix !== undefined
    return isPrintable ? replaced : { field: `${field}.path`, problem: noGroups(path) }
  }
  if (rewriteTarget === undefined || !isRewritten({ path, pathType }, rewriteTarget, usesRegex)) return undefined
  if (locationPath(path) === rewriteTarget && target === 'istio') return belowRewrite(rewriteTarget)
  const literal = literalTarget(path, rewriteTarget)
  if (literal !== undefined) return { kind: 'full', path: literal }
  const ofPrefix = prefixRewrite(path, rewriteTarget)
  if (target === 'gateway-api' && ofPrefix === undefined)
    return { field: `${field}.path`, problem: noGroups(`${path} with ${rewriteTarget}`) }
  const pattern = match.value.replace(/^\(\?i\)/, '(?i)^')
  return {
    kind: 'regex',
    pattern: `${pattern}$`,
    substitution: substitutionOf(rewriteTarget, countGroups(path)),
    ofPrefix,
  }
}

function noGroups(what: string): string {
  return `${what}: Gateway API cannot rewrite with capture groups, only whole paths and prefixes; the path is omitted. Use --to istio`
}

/** The rewrites of other controllers than ingress-nginx. */
function otherRewrite(
  { path, backend, expression }: Pick<IngressPath, 'path' | 'backend' | 'expression'>,
  match: PathMatch,
  { stripsPath, prefixesOf, strippedPrefixes, pathReplacement }: IngressSettings,
): PathRewrite | undefined {
  if (stripsPath === true) return withoutPath(match, expression)
  const replacement = backend && prefixesOf?.get(backend.service)
  if (replacement !== undefined) return replacedPath(path, replacement, match)
  if (strippedPrefixes !== undefined) return withoutPrefixes(strippedPrefixes, match)
  if (pathReplacement === undefined) return undefined
  const { pattern, substitution } = pathReplacement
  const isWhole = pattern === '^/.*$' && !/\\\d/.test(substitution)
  return isWhole ? { kind: 'full', path: substitution } : { kind: 'regex', pattern, substitution, ofPrefix: undefined }
}

/** nginx puts the replacement in the place of the location's text (`proxy_pass` with a path). */
function replacedPath(path: string, replacement: string, { kind }: PathMatch): PathRewrite | undefined {
  if (kind === 'exact') return path === replacement ? undefined : { kind: 'full', path: replacement }
  const location = locationPath(path)
  if (location === replacement) return undefined
  const isAlike = location.endsWith('/') === replacement.endsWith('/')
  const difference = isAlike ? undefined : `nginx would put ${replacement} directly in the place of ${location}`
  const [prefix, into] = [location, replacement].map((text) => trimEnd(text, '/') || '/')
  return {
    kind: 'regex',
    pattern: `^${escapeRegex(location)}(.*)$`,
    substitution: `${replacement.replaceAll('\\', '\\\\')}\\1`,
    ofPrefix:
      prefix === undefined || into === undefined || prefix === '/'
        ? undefined
        : { prefix, replacement: into, difference },
  }
}

/** The first prefix that fits is removed, also within an element. */
function withoutPrefixes(prefixes: readonly string[], { kind, value }: PathMatch): PathRewrite {
  const stripped = prefixes.map((prefix) => trimEnd(prefix, '/'))
  const isWhole = kind === 'elements' && stripped.length === 1 && stripped[0] === value && value !== '/'
  return {
    kind: 'regex',
    pattern: `^(?:${stripped.map(escapeRegex).join('|')})/?(.*)$`,
    substitution: '/\\1',
    ofPrefix: isWhole ? { prefix: value, replacement: '/', difference: undefined } : undefined,
  }
}

/** Removes the part of the path that the rule matched. An empty rest becomes `/`. */
function withoutPath({ kind, value }: PathMatch, expression: IngressPath['expression']): PathRewrite | undefined {
  if (value === '/') return undefined
  if (kind === 'exact') return { kind: 'full', path: '/' }
  if (kind === 'regex') {
    const pattern = expression?.pattern ?? value
    const rest = `\\${countGroups(pattern) + 1}`
    return { kind: 'regex', pattern: `^(?:${pattern})/*(.*)$`, substitution: `/${rest}`, ofPrefix: undefined }
  }
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
