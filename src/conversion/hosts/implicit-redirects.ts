/** Routes of a host that no path of an Ingress stands for. */
import type { HostRule } from './host-routes.ts'
import type { Redirect, Route } from '../model/virtual-host.ts'

/** What comes before every path: the redirect by x-forwarded-proto, and the one of `/`. */
export function headRoutes(rules: readonly HostRule[], routes: readonly Route[]): readonly Route[] {
  const [model] = routes
  if (model === undefined) return []
  const plain = { ...model, path: '/', headers: [], redirectsToHttps: false }
  const forwarded = rules.some(({ reading }) => reading.settings.redirectsForwardedHttp === true)
  const root = rules.find(({ reading }) => reading.settings.appRoot !== undefined)?.reading.settings.appRoot
  const toHttps: Redirect = { kind: 'redirect', scheme: 'https', authority: undefined, path: undefined, code: 308 }
  const toRoot: Redirect = { kind: 'redirect', scheme: undefined, authority: undefined, path: root, code: 302 }
  return [
    ...(forwarded
      ? [
          {
            ...plain,
            match: { kind: 'elements', value: '/' } as const,
            headers: [{ name: 'x-forwarded-proto', kind: 'exact', value: 'http' } as const],
            action: toHttps,
          },
        ]
      : []),
    ...(root === undefined
      ? []
      : [
          {
            ...plain,
            match: { kind: 'exact', value: '/' } as const,
            redirectsToHttps: model.redirectsToHttps,
            action: toRoot,
          },
        ]),
  ]
}
