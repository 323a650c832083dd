/** ingress-nginx: time limits, sizes and buffers (docs/facts/ingress-nginx.md#timeouts). */
import { ownEntry } from '../../../kubernetes/json.ts'
import {
  converted,
  notNeeded,
  readWhole,
  refused,
  SECONDS,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

const IDLE = 'limits the time between two reads or writes; Istio sets no time limit, so long requests keep working'

const BUFFER = "Envoy's buffers need no setting"

export const NGINX_TIMEOUTS: AnnotationTable = nginxTable({
  'proxy-read-timeout': idleTimeout,
  'proxy-send-timeout': idleTimeout,
  'proxy-connect-timeout': connectTimeout,
  'proxy-body-size': bodySize,
  'client-body-buffer-size': notNeeded(BUFFER),
  'proxy-buffering': notNeeded(BUFFER),
  'proxy-buffers-number': notNeeded(BUFFER),
  'proxy-buffer-size': notNeeded(BUFFER),
  'proxy-busy-buffers-size': notNeeded(BUFFER),
  'proxy-max-temp-file-size': notNeeded(BUFFER),
  'proxy-request-buffering': notNeeded('Envoy streams requests'),
  'proxy-http-version': notNeeded('Envoy speaks HTTP/1.1, or HTTP/2 where the port says so'),
  'connection-proxy-header': notNeeded('Envoy keeps connections to backends by itself'),
})

/** nginx waits 60 seconds by default, so a smaller value is a deliberate limit. */
const DEFAULT_SECONDS = 60

function idleTimeout(value: string, place: AnnotationPlace): Effect {
  const seconds = readWhole(value)
  if (seconds === undefined) return refused(value, `${SECONDS}, without a unit`)
  if (seconds >= DEFAULT_SECONDS) return notNeeded(IDLE)(value, place)
  const limit = seconds === 0 ? 'nginx answers 504 at once' : `nginx answers 504 after ${seconds} s without data`
  const message = `${limit}; the gateway has no such limit and waits. The closest is timeout of the route, which limits the whole request`
  return { outcome: 'unsupported', level: 'warn', message }
}

function connectTimeout(value: string): Effect {
  const seconds = readWhole(value.replace(/s$/, ''), 1)
  if (seconds === undefined) return refused(value, SECONDS)
  return converted({ connection: { connectTimeoutSeconds: seconds } }, 'connectTimeout of a DestinationRule')
}

const BODY =
  'the gateway does not limit the size of a body; to keep a limit, the platform team can add an EnvoyFilter with the buffer filter'

/** nginx allows 1 MB by default, so a smaller value is a limit that somebody wanted. */
function bodySize(value: string, place: AnnotationPlace): Effect {
  const [, digits = '', unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(value.trim()) ?? []
  if (digits === '') return refused(value, 'a size such as 8m')
  const bytes = Number(digits) * (ownEntry(UNITS, unit.toLowerCase()) ?? 1)
  if (bytes === 0 || bytes >= 1024 * 1024) return notNeeded(BODY)(value, place)
  return { outcome: 'unsupported', level: 'warn', message: `larger bodies are no longer refused: ${BODY}` }
}

const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
