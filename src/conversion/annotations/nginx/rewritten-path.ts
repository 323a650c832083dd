/** Which paths ingress-nginx' rewrite-target changes. */
import type { IngressPath } from '../../ingress/ingress.ts'

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
