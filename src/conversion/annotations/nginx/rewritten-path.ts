/** Which paths ingress-nginx' rewrite-target changes. */
import type { IngressPath } from '../../ingress/ingress.ts'
import { countGroups } from '../../model/regular-expression.ts'

/**
 * Whether ingress-nginx rewrites a path: its location and the target differ (docs/facts/ingress-nginx.md#rewrites).
 *
 * | path type, path               | rewrite-target | location        | rewritten |
 * |-------------------------------|----------------|-----------------|-----------|
 * | any, / or none                | /              | /               | no        |
 * | Exact, ImplementationSpecific | its path       | its path        | no        |
 * | Prefix /app/                  | /app/          | /app/           | no        |
 * | Prefix /app                   | /app           | /app/ and /app  | below it  |
 * | Prefix /app, use-regex        | /app           | /app            | no        |
 * | any                           | anything else  |                 | yes       |
 */
export function isRewritten(
  { path, pathType }: Pick<IngressPath, 'path' | 'pathType'>,
  rewriteTarget: string,
  usesRegex: boolean | undefined,
): boolean {
  const location = locationPath(path)
  if (location !== rewriteTarget) return true
  return pathType === 'Prefix' && usesRegex !== true && !location.endsWith('/')
}

/** Returns the path of nginx's location: `/` if the Ingress has none. */
export function locationPath(path: string): string {
  return path === '' ? '/' : path
}

/**
 * Returns the path to which everything is rewritten; undefined if groups of the path are part of it. In nginx, a group that the
 * path does not have is empty.
 */
export function literalTarget(path: string, rewriteTarget: string): string | undefined {
  if (!/\$\d/.test(rewriteTarget)) return rewriteTarget
  const groups = countGroups(path)
  const numbers = [...rewriteTarget.matchAll(/\$(\d)/g)].map(([, group]) => Number(group))
  if (numbers.some((group) => group >= 1 && group <= groups)) return undefined
  const literal = rewriteTarget.replace(/\$\d/g, '')
  return literal.startsWith('/') ? literal : undefined
}
