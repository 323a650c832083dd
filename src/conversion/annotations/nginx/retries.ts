/** ingress-nginx: requests that are sent to another pod after a failure (docs/facts/ingress-nginx.md#retries). */
import {
  approximate,
  checkedPart,
  converted,
  isWhole,
  partOf,
  readWhole,
  refused,
  SECONDS,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_RETRIES: AnnotationTable = nginxTable({
  'proxy-next-upstream': (_, place) => retries(place),
  'proxy-next-upstream-tries': tries,
  'proxy-next-upstream-timeout': checkedPart('proxy-next-upstream', isWhole, SECONDS),
})

function tries(value: string, place: AnnotationPlace): Effect {
  if (!isWhole(value)) return refused(value, 'a whole number')
  return place.sibling('proxy-next-upstream') === undefined
    ? retries(place)
    : partOf('proxy-next-upstream')(value, place)
}

/** The conditions of nginx as Envoy names them. Envoy does not distinguish some of them. */
const RETRY_ON: Readonly<Record<string, string>> = {
  error: 'connect-failure,reset',
  timeout: 'connect-failure',
  invalid_header: 'reset',
  http_500: '500',
  http_502: '502',
  http_503: '503',
  http_504: '504',
  http_403: '403',
  http_404: '404',
  http_429: '429',
}

function retries({ sibling, target }: AnnotationPlace): Effect {
  if (target === 'gateway-api')
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: "retries of a route are not in Gateway API's standard channel; --to istio has them",
    }
  const conditions = (sibling('proxy-next-upstream') ?? 'error timeout').split(/[\s,]+/).filter((word) => word !== '')
  const tries = readWhole(sibling('proxy-next-upstream-tries')) ?? 3
  if (conditions.includes('off') || tries === 1)
    return converted(
      { retries: { attempts: 0, on: '', perTryTimeoutSeconds: undefined } },
      "no retries; Istio's default is two",
    )
  const unknown = conditions.filter((word) => RETRY_ON[word] === undefined && word !== 'non_idempotent')
  if (unknown.length > 0)
    return refused(unknown.join(' '), `${Object.keys(RETRY_ON).join(', ')}, non_idempotent or off`)
  const on = [...new Set(conditions.flatMap((word) => (RETRY_ON[word] ?? '').split(',')))]
    .filter((word) => word !== '')
    .join(',')
  const perTryTimeoutSeconds = readWhole(sibling('proxy-next-upstream-timeout'), 1)
  const attempts = tries === 0 ? 3 : tries - 1
  return approximate(
    'info',
    { retries: { attempts, on, perTryTimeoutSeconds } },
    'retries; Envoy also repeats requests that are not idempotent, and its timeout applies to each try',
  )
}
