/** ingress-nginx: requests that are retried on another pod after a failure (docs/facts/ingress-nginx.md#retries). */
import { ownEntry } from '../../../kubernetes/json.ts'
import type { RetryPolicy } from '../../model/ingress-settings.ts'
import {
  approximate,
  converted,
  isInForce,
  isWhole,
  partOf,
  readWhole,
  refused,
  SECONDS,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_RETRIES: AnnotationTable = nginxTable({
  'proxy-next-upstream': (_, place) => retries(place),
  'proxy-next-upstream-tries': tries,
  'proxy-next-upstream-timeout': nextUpstreamTimeout,
})

function tries(value: string, place: AnnotationPlace): Effect {
  if (!isWhole(value)) return refused(value, 'a whole number')
  return place.sibling('proxy-next-upstream') === undefined
    ? retries(place)
    : partOf('proxy-next-upstream')(value, place)
}

/** Conditions under which Envoy may retry any method, because the request did not reach the backend. */
const UNSENT = 'connect-failure,refused-stream'

/**
 * nginx' conditions in Envoy's terms. Once sent, nginx repeats a POST, LOCK or PATCH only with `non_idempotent`; Envoy
 * ignores the method.
 */
const RETRY_ON: Readonly<Record<string, string>> = {
  error: `${UNSENT},reset`,
  timeout: UNSENT,
  invalid_header: 'reset',
  http_500: '500',
  http_502: '502',
  http_503: '503',
  http_504: '504',
  http_403: '403',
  http_404: '404',
  http_429: '429',
}

/** nginx' conditions that Envoy can limit to requests that did not reach the backend. */
const IS_UNSENT = ['error', 'timeout']

function retries({ sibling, target, isExperimental }: AnnotationPlace): Effect {
  if (target === 'gateway-api' && !isExperimental)
    return {
      outcome: 'unsupported',
      level: 'warn',
      message:
        "retries of a route are in Gateway API's experimental channel only: add --experimental if it is installed, or use --to istio",
    }
  const conditions = (sibling('proxy-next-upstream') ?? 'error timeout').split(/[\s,]+/).filter((word) => word !== '')
  const tries = readWhole(sibling('proxy-next-upstream-tries')) ?? 3
  if (conditions.includes('off') || tries === 1)
    return converted({ retries: NO_RETRIES }, "no retries; Istio's default is two")
  const unknown = conditions.filter((word) => ownEntry(RETRY_ON, word) === undefined && word !== 'non_idempotent')
  if (unknown.length > 0)
    return refused(unknown.join(' '), `${Object.keys(RETRY_ON).join(', ')}, non_idempotent or off`)
  return retryEffect(conditions, tries === 0 ? 3 : tries - 1)
}

const NO_RETRIES: RetryPolicy = { attempts: 0, on: '', perTryTimeoutSeconds: undefined }

function retryEffect(conditions: readonly string[], attempts: number): Effect {
  const policy = (on: readonly string[]): RetryPolicy => ({
    attempts,
    on: [...new Set(on.flatMap((words) => words.split(',')))].join(','),
    perTryTimeoutSeconds: undefined,
  })
  const all = conditions.flatMap((word) => ownEntry(RETRY_ON, word) ?? [])
  if (conditions.includes('non_idempotent')) return approximate('info', { retries: policy(all) }, 'retries')
  const unsent = conditions.some((word) => IS_UNSENT.includes(word))
  const lost = conditions.filter((word) => ownEntry(RETRY_ON, word) !== UNSENT)
  const retries = unsent ? policy([UNSENT]) : NO_RETRIES
  if (lost.length === 0) return approximate('info', { retries }, 'retries where the backend was not reached')
  const message = `only requests that did not reach the backend are retried: for ${lost.join(', ')} Envoy would also repeat POST, which nginx does not without non_idempotent`
  return approximate('warn', { retries }, message)
}

const NO_TIMEOUT = unsupported(
  'warn',
  'nginx starts no retry after that time; Envoy has no such limit. perTryTimeout would cut off requests that take longer, and repeat them',
)

/** `0` means no limit in nginx as well. */
function nextUpstreamTimeout(value: string, place: AnnotationPlace): Effect {
  if (!isWhole(value)) return refused(value, SECONDS)
  if (readWhole(value) === 0 || !isInForce('proxy-next-upstream', withTries(place)))
    return { outcome: 'not-needed', level: 'info', message: 'there is no limit' }
  return NO_TIMEOUT(value, place)
}

/** Without `proxy-next-upstream`, the number of tries enables retries. */
function withTries(place: AnnotationPlace): AnnotationPlace {
  const main = place.sibling('proxy-next-upstream') === undefined ? 'proxy-next-upstream-tries' : 'proxy-next-upstream'
  return { ...place, effectOf: () => place.effectOf(main) }
}
