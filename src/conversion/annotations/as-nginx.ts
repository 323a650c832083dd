/** Annotations of several controllers that mean the same, some of them the same as one of ingress-nginx. */
import { NGINX } from './nginx/nginx.ts'
import { converted, readFlag, refused, unsupported, type Entry } from './entry.ts'

/** The entry of ingress-nginx that means the same. */
export function asNginx(name: string): Entry {
  return (value, place) =>
    NGINX[name]?.(value, { ...place, sibling: () => undefined, effectOf: () => undefined }) ??
    refused(value, 'a valid value')
}

export function backendTls(protocol: 'HTTPS' | 'GRPC'): Entry {
  return (_, place) => asNginx('backend-protocol')(protocol, place)
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
