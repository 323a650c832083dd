/** Contour (docs/facts/other-ingress-controllers.md#contour). */
import {
  approximate,
  notNeeded,
  readWhole,
  unsupported,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './entry.ts'

/** `projectcontour.io/` */
export const CONTOUR: AnnotationTable = {
  'response-timeout': unsupported('warn', 'use timeout of the route, which limits the whole request in Istio as well'),
  'retry-on': contourRetries,
  'num-retries': (value, place) =>
    (place.sibling('retry-on') === undefined ? notNeeded('has no effect without retry-on') : foreignPart('retry-on'))(
      value,
      place,
    ),
  'per-try-timeout': (value, place) =>
    (place.sibling('retry-on') === undefined ? notNeeded('has no effect without retry-on') : foreignPart('retry-on'))(
      value,
      place,
    ),
  'tls-minimum-protocol-version': unsupported('warn', "tls.minProtocolVersion of the Gateway's server"),
  'tls-maximum-protocol-version': unsupported('warn', "tls.maxProtocolVersion of the Gateway's server"),
  'websocket-routes': notNeeded('websockets work on every route'),
  'auth-policy': unsupported(
    'error',
    'SECURITY: a CUSTOM AuthorizationPolicy with an extensionProvider takes its place',
  ),
}

function foreignPart(main: string): Entry {
  return () => ({ outcome: 'converted', level: 'info', message: `part of ${main}` })
}

/** Contour uses Envoy's names of retry conditions. */
function contourRetries(value: string, { sibling, target }: Parameters<Entry>[1]): Effect {
  if (target === 'gateway-api')
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: "retries of a route are not in Gateway API's standard channel; --to istio has them",
    }
  const seconds = readWhole(sibling('per-try-timeout')?.replace(/s$/, ''), 1)
  const retries = { attempts: readWhole(sibling('num-retries'), 1) ?? 1, on: value, perTryTimeoutSeconds: seconds }
  return approximate('info', { retries }, 'retries of the route')
}
