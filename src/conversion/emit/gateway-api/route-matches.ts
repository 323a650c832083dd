/**
 * Paths as the Gateway API matches them: whole elements or regular expressions, but no prefix that ends within an
 * element. Istio tries exact paths first, then prefixes, then expressions, each longest first (sortHTTPRoutes in
 * istio/istio pilot/pkg/config/kube/gateway).
 */
import { escapeRegex } from '../../model/regular-expression.ts'
import type { PrefixRewrite, Route } from '../../model/virtual-host.ts'

/** A type alias, because an interface is not assignable to JSON. */
export type ApiPath = {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

export interface ApiMatch {
  readonly path: ApiPath
  /** What a rewrite puts in the place of the prefix. */
  readonly replacement: string | undefined
  /** How it differs from the Ingress' own match. */
  readonly difference: string | undefined
}

/** Either all or none of a host's routes are expressions; otherwise a prefix would precede a longer expression. */
export function needsExpressions(routes: readonly Route[]): boolean {
  return routes.some(
    (route) =>
      route.match.kind === 'regex' && literalPath(route) === undefined && rewrittenPrefix(route.action) === undefined,
  )
}

/**
 * | match          | host with expressions      | host without                               |
 * |----------------|----------------------------|--------------------------------------------|
 * | exact          | Exact                      | Exact                                      |
 * | elements       | RegularExpression          | PathPrefix                                 |
 * | prefix         | RegularExpression          | PathPrefix, of whole elements              |
 * | regex, of a prefix | PathPrefix, tried earlier | PathPrefix                                 |
 * | regex, literal | RegularExpression          | PathPrefix, letter case and elements count |
 * | regex          | RegularExpression          | -                                          |
 */
export function apiMatch(route: Route, hasExpressions: boolean): ApiMatch {
  const { match, action } = route
  const plain = (type: ApiPath['type'], value: string, difference?: string): ApiMatch => ({
    path: { type, value },
    replacement: undefined,
    difference,
  })
  const prefix = rewrittenPrefix(action)
  if (prefix !== undefined)
    return {
      path: { type: 'PathPrefix', value: prefix.prefix },
      replacement: prefix.replacement,
      difference: prefixDifference(prefix, hasExpressions),
    }
  switch (match.kind) {
    case 'exact':
      return plain('Exact', match.value)
    case 'elements':
      return hasExpressions
        ? plain('RegularExpression', elementsPattern(match.value))
        : plain('PathPrefix', match.value)
    case 'prefix':
      return hasExpressions
        ? plain('RegularExpression', `${escapeRegex(match.value)}.*`)
        : plain('PathPrefix', match.value, elementDifference(match.value))
    case 'regex': {
      const literal = literalPath(route)
      return hasExpressions || literal === undefined
        ? plain('RegularExpression', match.value)
        : plain(
            'PathPrefix',
            literal,
            literal === '/' ? undefined : `${elementDifference(literal)}, and matching is case-sensitive`,
          )
    }
  }
}

function prefixDifference({ prefix, replacement, difference }: PrefixRewrite, hasExpressions: boolean) {
  const differences = [
    ...(prefix === '/' ? [] : ['a PathPrefix is case-sensitive']),
    ...(hasExpressions ? ['it takes precedence over the regular expressions of the host'] : []),
    ...(replacement === '/' ? [] : [`${prefix} becomes ${replacement}, without a slash`]),
    ...(difference === undefined ? [] : [difference]),
  ]
  return differences.length === 0 ? undefined : differences.join('; ')
}

function elementsPattern(value: string): string {
  return value === '/' ? '/.*' : `${escapeRegex(value)}(?:/.*)?`
}

function elementDifference(value: string): string {
  return value.endsWith('/')
    ? `a PathPrefix ignores the slash at the end: ${value.slice(0, -1)} is matched as well`
    : `a PathPrefix matches whole path elements: ${value}x is no longer matched`
}

function rewrittenPrefix(action: Route['action']): PrefixRewrite | undefined {
  return action.kind === 'forward' && action.rewrite?.kind === 'regex' ? action.rewrite.ofPrefix : undefined
}

/** Returns the path of `(?i)/path.*` if it is literal. An expression that was written as one stays one. */
function literalPath({ match, isPlaced }: Route): string | undefined {
  const path = isPlaced === true ? undefined : /^(?:\(\?i\))?(\/[\w\-./~]*?)\.\*$/.exec(match.value)?.[1]
  return path === undefined || /\.(?!\w)/.test(path) ? undefined : path
}

/** Returns why the CRD refuses an Exact or PathPrefix value (its CEL rules, v1.6); undefined if it accepts it. */
export function pathProblem({ type, value }: ApiPath): string | undefined {
  if (value.length > 1024) return 'is longer than the 1024 characters that Gateway API allows'
  if (type === 'RegularExpression') return undefined
  const refused = [/\/\//, /\/\.\.?(?:\/|$)/, /%2f/i, /#/].some((pattern) => pattern.test(value))
  const isPlain = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value)
  return refused || !isPlain ? 'has characters that Gateway API does not allow in a path' : undefined
}
