/** Annotations that several controllers share, some of them equivalent to one of ingress-nginx. */
import { ownEntry } from '../../kubernetes/json.ts'
import { NGINX } from './nginx/nginx.ts'
import { converted, readFlag, refused, unsupported, type Entry } from './entry.ts'

/** Returns the equivalent entry of ingress-nginx. */
export function asNginx(name: string): Entry {
  return (value, place) =>
    ownEntry(NGINX, name)?.(value, { ...place, sibling: () => undefined, effectOf: () => undefined }) ??
    refused(value, 'a valid value')
}

export function backendTls(protocol: 'HTTPS' | 'GRPC' | 'GRPCS'): Entry {
  return (_, place) => asNginx('backend-protocol')(protocol, place)
}

/** Reads the protocol of all backends: http, https, grpc or grpcs. Other values get the `other` effect. */
export function backendScheme(other: Entry): Entry {
  return (value, place) => {
    const protocol = value.toUpperCase()
    if (protocol === 'HTTP') return asNginx('backend-protocol')(protocol, place)
    return protocol === 'HTTPS' || protocol === 'GRPC' || protocol === 'GRPCS'
      ? backendTls(protocol)(value, place)
      : other(value, place)
  }
}

export const sslRedirect: Entry = (value) => {
  const flag = readFlag(value)
  if (flag === undefined) return refused(value, 'true or false')
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
