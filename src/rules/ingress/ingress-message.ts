/**
 * What the owner of an Ingress reads (spec/ingress.md section 5): the first line says what, why and what next; then what
 * becomes of each route, the YAML to apply, what was left out, and the way to make an exception.
 *
 * Limits: kubectl, Helm, Flux and Argo CD show up to 4,000 characters whole; YAML is never cut; Argo CD deletes every
 * `map[...]`, and everything before a line that starts with `for: "`.
 */
import { stringify } from 'yaml'
import type { Conversion } from '../../conversion/convert-ingress.ts'
import type { HostRoutes } from '../../conversion/istio-objects.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import type { Reason } from '../reasons.ts'

const LIMIT = 4000
const EXCEPTION = 'Exception: annotate it, or its namespace, with istio-onramp.io/ingress: "allow" (or "warn").'

export function denialMessage(reference: ObjectReference, conversion: Conversion, reason: Reason): string {
  const whole = [
    headline(reference, reason),
    routeLine(conversion.hosts, Number.POSITIVE_INFINITY),
    ...yamlBlock(conversion),
    ...platformLines(conversion, Number.POSITIVE_INFINITY),
    ...leftOutLines(conversion, Number.POSITIVE_INFINITY),
    EXCEPTION,
  ].join('\n')
  return isShowable(whole) ? whole : shortened(reference, conversion, reason)
}

function isShowable(text: string): boolean {
  return text.length <= LIMIT && !text.includes('map[') && !/^for: "/m.test(text)
}

/** Without the YAML, and with lists cut to what is left of the limit. */
function shortened(reference: ObjectReference, conversion: Conversion, reason: Reason): string {
  const lines = [
    headline(reference, reason),
    routeLine(conversion.hosts, 10),
    'The Gateway and the VirtualServices are too long for this message.',
    ...platformLines(conversion, 5),
    ...leftOutLines(conversion, 10),
    EXCEPTION,
  ]
  return lines
    .map((line) => cut(line, 900))
    .join('\n')
    .replaceAll('map[', 'map [')
}

function headline(reference: ObjectReference, reason: Reason): string {
  const what = `${describe(reference)} is not used in Istio namespace ${reference.namespace}`
  return `${cut(what, 120)}: expose it with a Gateway and a VirtualService. [istio-onramp/${reason}]`
}

function routeLine(hosts: readonly HostRoutes[], most: number): string {
  const routes = hosts.flatMap(describeRoutes)
  if (routes.length === 0) return 'What becomes of it: none of its routes can be printed here, see below.'
  return `What becomes of it: ${listed(routes, most, ', ')}.`
}

function describeRoutes({ host, routes, redirectsToHttps }: HostRoutes): readonly string[] {
  const scheme = redirectsToHttps ? ' (https)' : ''
  return routes.map(({ path, service, port }) => `${host}${path === '' ? '/' : path} -> ${service}:${port}${scheme}`)
}

function yamlBlock({ objects }: Conversion): readonly string[] {
  if (objects.length === 0) return []
  const documents = objects.map((object) => stringify(object, { lineWidth: 0 }).trimEnd())
  return ['Apply this instead:', '---', documents.join('\n---\n'), '---']
}

function platformLines({ platformSteps }: Conversion, most: number): readonly string[] {
  return platformSteps.length === 0 ? [] : [`For the platform team: ${listed(platformSteps, most, '; ')}.`]
}

function leftOutLines({ leftOut }: Conversion, most: number): readonly string[] {
  return leftOut.length === 0 ? [] : [`Left out: ${listed(leftOut, most, '; ')}.`]
}

function listed(entries: readonly string[], most: number, separator: string): string {
  if (entries.length <= most) return entries.join(separator)
  return `${entries.slice(0, most).join(separator)} and ${entries.length - most} more`
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 3)}...`
}

/** Warnings are single lines: the API server drops one that holds a line break. */
export function warningLines(reference: ObjectReference, conversion: Conversion, reason: Reason): readonly string[] {
  const name = describe(reference)
  switch (reason) {
    case 'ingress-spec-unchanged':
      return [
        `${name}: still an Ingress in an Istio namespace; a change of its spec will be denied [istio-onramp/${reason}]`,
      ]
    case 'ingress-istio-class':
      return [`${name}: Istio serves it itself; a Gateway and a VirtualService can do more [istio-onramp/${reason}]`]
    default:
      return [
        `${name}: Istio's gateway does not see it; move ${listed(conversion.hosts.flatMap(describeRoutes), 2, ', ') || 'its routes'} to a VirtualService [istio-onramp/${reason}]`,
        ...conversion.leftOut
          .slice(0, 1)
          .map((text) => `${name}: needs care when it moves: ${text} [istio-onramp/${reason}]`),
      ]
  }
}
