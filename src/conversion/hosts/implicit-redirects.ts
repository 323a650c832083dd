/** Redirects of a host that no path defines. They precede all paths. */
import type { Redirect, Route } from '../model/virtual-host.ts'
import type { HostRule } from './host-rule.ts'

/** `routes` are the paths' routes; without any, nothing redirects. */
export function implicitRedirects(rules: readonly HostRule[], routes: readonly Route[]): readonly Route[] {
  const [model] = routes
  if (model === undefined) return []
  const plain = { ...model, path: '/', headers: [], redirectsToHttps: false }
  return [
    ...forwardedRedirect(rules, plain),
    ...rootRedirect(rules, { ...plain, redirectsToHttps: model.redirectsToHttps }),
  ]
}

/** Redirects requests that reached the proxy in front of the gateway as http, according to `x-forwarded-proto`. */
function forwardedRedirect(rules: readonly HostRule[], route: Route): readonly Route[] {
  if (!rules.some(({ reading }) => reading.settings.redirectsForwardedHttp === true)) return []
  const action: Redirect = { kind: 'redirect', scheme: 'https', authority: undefined, path: undefined, code: 308 }
  const headers = [{ name: 'x-forwarded-proto', kind: 'exact', value: 'http' } as const]
  return [{ ...route, match: { kind: 'elements', value: '/' }, headers, action }]
}

function rootRedirect(rules: readonly HostRule[], route: Route): readonly Route[] {
  const path = rules.find(({ reading }) => reading.settings.appRoot !== undefined)?.reading.settings.appRoot
  if (path === undefined) return []
  const action: Redirect = { kind: 'redirect', scheme: undefined, authority: undefined, path, code: 302 }
  return [{ ...route, match: { kind: 'exact', value: '/' }, action }]
}
