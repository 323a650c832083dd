/** Redirects of a snippet that depend on the host, such as the one from `www.`. */
import { RE2JS } from 're2js'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { RedirectTarget } from '../../model/ingress-settings.ts'
import { regexProblem } from '../../model/regular-expression.ts'
import type { AnnotationPlace } from '../entry.ts'
import { redirectStatement, type RedirectReading } from './redirect-statements.ts'

interface HostCondition {
  /** `=`, `!=`, `~` or `~*`. */
  readonly operator: string
  readonly value: string
  /** `return 301 https://$1$request_uri` */
  readonly body: string
}

/**
 * The hosts of an Ingress are known, so the condition is decided for each. Groups of an expression are put into the URL.
 * Undefined if a host is a wildcard for which the condition cannot be decided.
 */
export function hostRedirects(
  condition: HostCondition,
  { ingress, sibling }: AnnotationPlace,
): RedirectReading | undefined {
  const aliases = (sibling('server-alias') ?? '').split(/[\s,]+/).filter((name) => name !== '')
  const names = [...new Set([...ingress.rules.map(({ host }) => host), ...aliases.map((name) => name.toLowerCase())])]
  if (names.some((name) => name === '' || name.startsWith('~') || isUndecided(name, condition))) return undefined
  if (condition.operator.startsWith('~') && regexProblem(expressionOf(condition)) !== undefined) return undefined
  const urls = names.flatMap((name) => {
    const body = bodyFor(name, condition)
    return body === undefined ? [] : [{ name, target: targetOf(body) }]
  })
  if (urls.some(({ target }) => target === undefined)) return undefined
  if (urls.length === 0)
    return { settings: {}, note: `no host of this Ingress is ${condition.value}, so its redirect never applies` }
  const found = urls.flatMap(({ name, target }) => (target === undefined ? [] : [[name, target] as const]))
  return { settings: { hostRedirects: new Map(found) } }
}

function isUndecided(name: string, { operator, value }: HostCondition): boolean {
  return name.startsWith('*') && (operator !== '=' || isCoveredByWildcard(value.toLowerCase(), name))
}

/** Returns the statement of the redirect for a host; undefined if the condition does not hold for it. */
function bodyFor(host: string, { operator, value, body }: HostCondition): string | undefined {
  if (operator === '=') return host === value.toLowerCase() ? body : undefined
  if (operator === '!=') return host === value.toLowerCase() ? undefined : body
  const found = RE2JS.compile(expressionOf({ operator, value })).matcher(host)
  if (!found.find()) return undefined
  const named = [...value.matchAll(/\(\?P?<(\w+)>/g)].flatMap(([, name]) => name ?? [])
  const withNames = named.reduce((text, name) => text.replaceAll(`$${name}`, found.group(name) ?? ''), body)
  // The groups of a rewrite are those of its own expression.
  if (body.startsWith('rewrite')) return withNames
  return withNames.replaceAll(/\$([1-9])/g, (text, group: string) =>
    Number(group) <= found.groupCount() ? (found.group(Number(group)) ?? '') : text,
  )
}

function expressionOf({ operator, value }: Pick<HostCondition, 'operator' | 'value'>): string {
  return `${operator === '~*' ? '(?i)' : ''}${value.replaceAll(/\(\?<(?=\w)/g, '(?P<')}`
}

function targetOf(body: string): RedirectTarget | undefined {
  const found = redirectStatement(body)
  return found?.pattern === undefined ? found?.target : undefined
}
