/** Annotations that several controllers share, some of them equivalent to one of ingress-nginx. */
import { NGINX } from './nginx/nginx.ts'
import { converted, readFlag, refused, unsupported, type Entry } from './entry.ts'

/** Returns the equivalent entry of ingress-nginx. */
export function asNginx(name: string): Entry {
  return (value, place) =>
    NGINX[name]?.(value, { ...place, sibling: () => undefined, effectOf: () => undefined }) ??
    refused(value, 'a valid value')
}

export function backendTls(protocol: 'HTTPS' | 'GRPC' | 'GRPCS'): Entry {
  return (_, place) => asNginx('backend-protocol')(protocol, place)
}

export const sslRedirect: Entry = (value, { sibling }) => {
  const flag = readFlag(value)
  if (flag === undefined) return refused(value, 'true or false')
  if (flag && readFlag(sibling('ssl-passthrough') ?? '') === true)
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: 'TLS is passed through, so the gateway serves nothing on port 80, not even the redirect',
    }
  return converted(
    { redirectsToHttps: flag },
    flag ? 'plain requests of hosts with TLS are redirected (308)' : 'plain requests are served as well',
  )
}

export const PASSWORD = unsupported(
  'error',
  'SECURITY: the routes are no longer protected by a password; put an external authorization service in front',
)

/** A time limit between the controller and a backend. */
export const BACKEND_LIMIT = unsupported(
  'warn',
  'the gateway waits without a limit; the closest are timeout of the route and connectTimeout of a DestinationRule',
)

export const passthrough: Entry = (value) =>
  readFlag(value) === true
    ? converted({ isPassthrough: true }, 'TLS is passed through by server name')
    : { outcome: 'not-needed', level: 'info', message: 'is switched off' }
