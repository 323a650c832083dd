/** ingress-nginx: requests that are mirrored to another host (docs/facts/ingress-nginx.md#mirrors). */
import { serviceOf } from '../../model/service-host.ts'
import {
  approximate,
  beside,
  partOf,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_MIRROR: AnnotationTable = nginxTable({
  'mirror-target': mirrorTarget,
  'mirror-uri': unsupported('warn', 'only mirror-target is supported'),
  'mirror-host': beside(
    'mirror-target',
    unsupported('warn', "the mirror gets the request's Host with -shadow appended"),
  ),
  'mirror-request-body': beside('mirror-target', (value, place) =>
    value === 'off'
      ? unsupported('warn', 'the mirror also receives the body')(value, place)
      : partOf('mirror-target')(value, place),
  ),
})

/** Reads a URL such as `https://mirror.example.com$request_uri`. */
function mirrorTarget(value: string, { gateway }: AnnotationPlace): Effect {
  const text = value.replace(/\$request_uri$/, '')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.includes('$') || !/^https?:$/.test(url.protocol))
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: `${value}: a mirror must be an http(s) URL that ends in $request_uri`,
    }
  const usesTls = url.protocol === 'https:'
  const mirror = {
    host: url.hostname,
    port: Number(url.port) || (usesTls ? 443 : 80),
    service: serviceOf(url.hostname, gateway.clusterDomain),
    usesTls,
  }
  const lost = [url.pathname === '/' ? '' : url.pathname, url.search].join('')
  const message = 'a mirror; it gets the Host of the request with -shadow appended'
  if (lost === '') return approximate('info', { mirror }, message)
  return approximate('warn', { mirror }, `${message}, and the path of the request without ${lost} before it`)
}
