/**
 * Whether the order of a host's routes matters between namespaces. Istio puts the routes of several VirtualServices
 * after each other by age, only those for every path last
 * (https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services).
 */
import type { PathMatch, Route } from '../model/virtual-host.ts'

export function dependsOnOrder(routes: readonly Route[]): boolean {
  return routes.some((route, index) =>
    routes.slice(index + 1).some((other) => namespaceOf(route) !== namespaceOf(other) && isOrdered(route, other)),
  )
}

function namespaceOf({ ingress }: Route): string {
  return ingress.slice(0, ingress.indexOf('/'))
}

function isOrdered(left: Route, right: Route): boolean {
  const isEither = isCatchAll(left) !== isCatchAll(right)
  return !isEither && overlaps(left.match, right.match)
}

function isCatchAll({ match, headers, methods }: Route): boolean {
  return match.kind === 'elements' && match.value === '/' && headers.length === 0 && methods === undefined
}

/** Whether a path may match both; of a regular expression only its literal start is compared. */
export function overlaps(left: PathMatch, right: PathMatch): boolean {
  const [one, other] = [literalStart(left), literalStart(right)]
  return startsWithin(one, other, right) || startsWithin(other, one, left)
}

/** Whether paths that begin with `text` may match; the text of an exact path is all of it. */
function startsWithin(text: string, value: string, { kind }: PathMatch): boolean {
  if (kind === 'exact') return text === value
  if (kind === 'elements') return value === '/' || text === value || text.startsWith(`${value}/`)
  return text.startsWith(value)
}

function literalStart({ kind, value }: PathMatch): string {
  if (kind !== 'regex') return value.toLowerCase()
  const pattern = value.replace(/^\(\?i\)/, '').toLowerCase()
  if (pattern.startsWith('(')) return ''
  const end = pattern.search(/[\\^$.*+?()[\]{}|]/)
  const isRepeated = /[*+?{]/.test(pattern[end] ?? '')
  return pattern.slice(0, isRepeated ? Math.max(0, end - 1) : end === -1 ? undefined : end)
}
