/** ingress-nginx: which pod of a Service gets a request (docs/facts/ingress-nginx.md#affinity). */
import type { ConsistentHash } from '../../model/ingress-settings.ts'
import {
  approximate,
  checkedPart,
  converted,
  isWhole,
  notNeeded,
  partOf,
  readWhole,
  refused,
  SECONDS,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

const COOKIE = 'the cookie that Envoy sets has no such attribute'

export const NGINX_AFFINITY: AnnotationTable = nginxTable({
  affinity: affinity,
  'affinity-mode': partOf('affinity'),
  'affinity-canary-behavior': partOf('affinity'),
  'session-cookie-name': partOf('affinity'),
  'session-cookie-path': partOf('affinity'),
  'session-cookie-max-age': checkedPart('affinity', isWhole, SECONDS),
  'session-cookie-expires': checkedPart('affinity', isWhole, SECONDS),
  'session-cookie-hash': notNeeded('Envoy hashes by itself'),
  'session-cookie-domain': unsupported('warn', COOKIE),
  'session-cookie-samesite': unsupported('warn', COOKIE),
  'session-cookie-secure': unsupported('warn', COOKIE),
  'session-cookie-partitioned': unsupported('warn', COOKIE),
  'session-cookie-conditional-samesite-none': unsupported('warn', COOKIE),
  'session-cookie-change-on-failure': notNeeded('Envoy picks another backend when one is gone'),
  'upstream-hash-by': hashBy,
  'upstream-hash-by-subset': whenTrue(
    unsupported('warn', 'subsets of backends have no equivalent; each key has one backend'),
  ),
  'upstream-hash-by-subset-size': partOf('upstream-hash-by-subset'),
  'load-balance': loadBalance,
})

function affinity(value: string, { sibling }: AnnotationPlace): Effect {
  if (value !== 'cookie') return refused(value, 'cookie')
  const hash: ConsistentHash = {
    kind: 'cookie',
    name: sibling('session-cookie-name') ?? 'INGRESSCOOKIE',
    path: sibling('session-cookie-path') ?? '/',
    ttlSeconds: readWhole(sibling('session-cookie-max-age')) ?? readWhole(sibling('session-cookie-expires')) ?? 0,
  }
  return approximate(
    'info',
    { connection: { hash } },
    'consistentHash by that cookie, without the attribute Secure: sessions move when backends come and go; its path is / unless session-cookie-path says otherwise, ingress-nginx takes the path of the rule',
  )
}

/** Converts the variables that have an equivalent; `$request_uri` and combinations do not. */
function hashBy(value: string): Effect {
  const variable = value.replace(/^\$\{(\w+)\}$/, '$$$1')
  const header = /^\$http_(\w+)$/.exec(variable)?.[1]
  const argument = /^\$arg_(\w+)$/.exec(variable)?.[1]
  const cookie = /^\$cookie_(\w+)$/.exec(variable)?.[1]
  const hash: ConsistentHash | undefined =
    header !== undefined
      ? { kind: 'header', name: header.replaceAll('_', '-') }
      : variable === '$host' || variable === '$http_host'
        ? { kind: 'header', name: ':authority' }
        : argument !== undefined
          ? { kind: 'query', name: argument }
          : cookie !== undefined
            ? { kind: 'cookie', name: cookie, path: undefined, ttlSeconds: 0 }
            : ['$remote_addr', '$binary_remote_addr'].includes(variable)
              ? { kind: 'source-ip' }
              : undefined
  if (hash === undefined)
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: `${value} has no equivalent: consistentHash takes a header, a query parameter, a cookie or the address`,
    }
  return approximate('info', { connection: { hash } }, 'consistentHash of a DestinationRule')
}

function loadBalance(value: string): Effect {
  if (value === 'round_robin') return converted({ connection: { balancer: 'ROUND_ROBIN' } }, 'a simple balancer')
  if (value === 'ewma')
    return approximate('info', { connection: { balancer: 'LEAST_REQUEST' } }, 'LEAST_REQUEST is the closest equivalent')
  return refused(value, 'round_robin or ewma')
}
