/** Describes routes in words: `shop.example.com/cart -> cart:9000 (https)`. */
import { oneLine } from '../../kubernetes/yaml-text.ts'
import type { Route, VirtualHost } from './virtual-host.ts'

export function describeRoutes({ host, routes, passthrough }: VirtualHost): readonly string[] {
  const passed =
    passthrough === undefined ? [] : [`${host} -> ${passthrough.service}:${passthrough.port} (TLS passed through)`]
  const plain = routes.map((route) =>
    oneLine(`${host}${route.path === '' ? '/' : route.path} ${destinationText(route)}${conditionText(route)}`),
  )
  return [...passed, ...plain]
}

function destinationText({ action }: Route): string {
  if (action.kind === 'redirect')
    return `redirects to ${[action.scheme, action.authority, action.path].filter((part) => part !== undefined).join(' ')} (${action.code})`
  const hasWeights = action.backends.length > 1
  return `-> ${action.backends.map(({ service, port, weight }) => `${service}:${port}${hasWeights ? ` ${weight}` : ''}`).join(' + ')}`
}

function conditionText({ headers, methods = [], redirectsToHttps }: Route): string {
  const conditions = [
    ...methods,
    ...headers.map(({ name }) => `by header ${name}`),
    ...(redirectsToHttps ? ['https'] : []),
  ]
  return conditions.length === 0 ? '' : ` (${conditions.join(', ')})`
}
