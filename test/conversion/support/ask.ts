/** What a conversion answers to a request, by the router of its target, and what its report says. */
import type { Conversion } from '../../../src/conversion/convert-ingresses.ts'
import type { Target } from '../../../src/conversion/model/conversion-options.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import type { Annotations } from './conversion-fixtures.ts'
import type { Answer, RoutedRequest } from './envoy-routes.ts'
import { routeThroughGatewayApi } from './gateway-api-router.ts'
import { routeThroughIstio } from './istio-router.ts'
import { shortAnswer } from './short-answer.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

export function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
}

/** A request is `/path` of a.example.com, or `host/path`. */
export function ask({ objects }: Conversion, target: Target, request: string | RoutedRequest): string {
  return shortAnswer(answerOf(objects, target, request))
}

export function answerOf(objects: readonly JsonObject[], target: Target, request: string | RoutedRequest): Answer {
  const route = target === 'istio' ? routeThroughIstio : routeThroughGatewayApi
  if (typeof request !== 'string') return route(objects, request)
  const slash = request.indexOf('/')
  return route(objects, { host: request.slice(0, slash) || 'a.example.com', path: request.slice(slash) })
}

/** `outcome level: message` of each line about the annotation or field. */
export function linesOf({ report }: Conversion, about: string): string {
  const own = report.filter((line) => line.about === about || line.about === `${NGINX}${about}`)
  return own.map(({ outcome, level, message }) => `${outcome} ${level}: ${message}`).join(' and ')
}
