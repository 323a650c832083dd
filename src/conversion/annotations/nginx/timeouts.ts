/** ingress-nginx: time limits, sizes and buffers (docs/facts/ingress-nginx.md#timeouts). */
import { converted, notNeeded, readWhole, refused, SECONDS, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable } from './guard.ts'

const IDLE = 'limits the time between two reads or writes; Istio sets no time limit, so long requests keep working'

const BUFFER = "Envoy's buffers need no setting"

export const NGINX_TIMEOUTS: AnnotationTable = nginxTable({
  'proxy-read-timeout': notNeeded(IDLE),
  'proxy-send-timeout': notNeeded(IDLE),
  'proxy-connect-timeout': connectTimeout,
  'proxy-body-size': notNeeded(
    'changes the body size limit of nginx (1m), which Envoy does not have; to keep a limit, the platform team can add an EnvoyFilter with the buffer filter',
  ),
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

function connectTimeout(value: string): Effect {
  const seconds = readWhole(value.replace(/s$/, ''), 1)
  if (seconds === undefined) return refused(value, SECONDS)
  return converted({ connection: { connectTimeoutSeconds: seconds } }, 'connectTimeout of a DestinationRule')
}
