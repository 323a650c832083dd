/** Queries of Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). */
import { Agent, request } from 'undici'
import type { TrafficAnswers, TrafficQueries } from '../callers/traffic-counts.ts'
import { codeOf, InputError, messageOf, type InputErrorCode } from '../errors.ts'
import { isObject, member, parseJson, stringMember, type Json } from '../kubernetes/json.ts'

/** Milliseconds for each answer. */
const PATIENCE = 30_000

/** Throws InputError with a code for each way in which Prometheus cannot be asked. */
export async function askPrometheus(
  address: string,
  queries: TrafficQueries,
  timeout: number = PATIENCE,
): Promise<TrafficAnswers> {
  const url = readUrl(address)
  const dispatcher = new Agent({ connectTimeout: timeout, headersTimeout: timeout, bodyTimeout: timeout })
  try {
    const answers: Partial<Record<keyof TrafficQueries, Json>> = {}
    for (const [key, query] of Object.entries(queries) as [keyof TrafficQueries, string][])
      answers[key] = await ask(url, query, dispatcher, timeout)
    const all = answers as TrafficAnswers
    if (isEmpty(all.any))
      throw new InputError('prometheus-metric-missing', [
        `${shown(url)}: it has neither istio_requests_total nor istio_tcp_received_bytes_total in this span`,
      ])
    return all
  } finally {
    await dispatcher.destroy()
  }
}

/** `localhost:9090` is a URL of scheme `localhost`. */
function readUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new InputError('prometheus-url-invalid', [
      `--prometheus ${address}: a URL with http:// or https:// is expected, such as http://localhost:9090`,
    ])
  return url
}

async function ask(url: URL, query: string, dispatcher: Agent, timeout: number): Promise<Json> {
  const target = new URL(url)
  target.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`
  target.search = ''
  const { username, password } = url
  target.username = target.password = ''
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization = username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  try {
    const { statusCode, body } = await request(target, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ query, timeout: `${Math.ceil(timeout / 1000)}s` }).toString(),
      dispatcher,
      signal: AbortSignal.timeout(timeout),
    })
    return dataOf(statusCode, await body.text(), url)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(failureOf(error), [`${shown(url)}: ${messageOf(error) || (codeOf(error) ?? 'no answer')}`])
  }
}

function dataOf(status: number, text: string, url: URL): Json {
  const answer = parseJson(text)
  if (status === 401 || status === 403)
    throw new InputError('prometheus-unauthorized', [`${shown(url)}: HTTP ${status}: it wants other credentials`])
  const data = member(answer, 'data')
  if (status === 200 && member(answer, 'status') === 'success' && isObject(data)) return data
  const problem =
    stringMember(answer, 'error') ?? (status === 200 ? 'the answer is not of Prometheus' : `HTTP ${status}`)
  throw new InputError('prometheus-failed', [`${shown(url)}: ${problem}`])
}

const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|HOSTNAME_MISMATCH)/

function failureOf(error: unknown): InputErrorCode {
  const code = codeOf(error) ?? ''
  const isTimeout = /TIMEOUT|ETIMEDOUT/.test(code) || (error instanceof Error && error.name === 'TimeoutError')
  if (isTimeout) return 'prometheus-timeout'
  return CERTIFICATE.test(code) ? 'prometheus-certificate' : 'prometheus-failed'
}

/** A password must not get into a log. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`.replace(/\/$/, '')
}

function isEmpty(data: Json): boolean {
  const result = member(data, 'result')
  return !Array.isArray(result) || result.length === 0
}
