/**
 * The denial that the owner of an Ingress reads (docs/facts/admission-requests.md#denials). The first line says what
 * happened, why, and what to do. Then follow the routes, the YAML to apply, the report lines and the way to get an
 * exception.
 *
 * Limits: kubectl, Helm, Flux and Argo CD show up to 4,000 characters in full. YAML is never truncated. Argo CD deletes
 * every `map[...]`, and everything before a line that starts with `for: "`.
 */
import type { Conversion } from '../../conversion/convert-ingresses.ts'
import { byLevel, needsAttention, type Outcome, type ReportLine } from '../../conversion/model/report.ts'
import { describeRoutes } from '../../conversion/model/route-text.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { oneLine, toYaml } from '../../kubernetes/yaml-text.ts'
import { describe, referenceTo, type ObjectReference } from '../../kubernetes/object.ts'
import type { Exemptions } from '../exemption.ts'
import { coded, REASONS, type Reason } from '../reasons.ts'
import { cut, listed } from './message-text.ts'

const LIMIT = 4000
const CONVERT = 'For the full output, or Gateway API objects: istio-onramp convert -f FILE [--to gateway-api]'

/** How to get an exception, by `rules.ingressExemptions`. */
const EXCEPTION: Readonly<Record<Exemptions, string>> = {
  object: 'To allow this Ingress anyway, annotate it or its namespace: istio-onramp.io/ingress: "allow" (or "warn").',
  namespace:
    'To allow Ingresses here anyway, annotate the namespace: istio-onramp.io/ingress: "allow" (or "warn"). ' +
    'An annotation of the Ingress does not count.',
  none: 'Annotations allow no exception in this cluster: ask the platform team.',
}

/** The other inputs of the text besides the Ingress and its conversion. */
export interface DenialContext {
  readonly reason: Reason
  readonly exemptions: Exemptions
}

export function denialMessage(reference: ObjectReference, conversion: Conversion, context: DenialContext): string {
  const own = conversion.objects.filter((object) => referenceTo(object).namespace === reference.namespace)
  for (const objects of [conversion.objects, own]) {
    if (exceedsLimit(objects)) continue
    const whole = message(reference, conversion, objects, context)
    if (isShowable(whole)) return whole
  }
  return shortened(reference, conversion, context)
}

/** Returns the denial of an Ingress that is too big to convert while its author waits. */
export function bigDenialMessage(reference: ObjectReference, { reason, exemptions }: DenialContext): string {
  const size = 'This Ingress is too big to convert in a denial.'
  return [headline(reference, reason), `${size} ${CONVERT}`, EXCEPTION[exemptions]].join('\n')
}

/** JSON is the estimate: YAML is never a third shorter, and takes a hundred times as long to write. */
function exceedsLimit(objects: readonly JsonObject[]): boolean {
  return JSON.stringify(objects).length > LIMIT * 1.5
}

function isShowable(text: string): boolean {
  return text.length <= LIMIT && !text.includes('map[') && !/^for: "/m.test(text)
}

/** Prints these objects; the others, which the platform team applies, are only named. */
function message(
  reference: ObjectReference,
  conversion: Conversion,
  objects: readonly JsonObject[],
  { reason, exemptions }: DenialContext,
): string {
  const others = conversion.objects
    .filter((object) => !objects.includes(object))
    .map((object) => describe(referenceTo(object)))
  return [
    headline(reference, reason, nextStep(conversion, objects.length > 0)),
    routeLine(conversion, Number.POSITIVE_INFINITY),
    ...existingLines(conversion),
    ...yamlBlock(objects, reference.namespace),
    ...(others.length === 0 ? [] : [oneLine(`For the platform team (convert prints them): ${others.join(', ')}.`)]),
    ...remarkLines(conversion.report, Number.POSITIVE_INFINITY),
    CONVERT,
    EXCEPTION[exemptions],
  ].join('\n')
}

/** Returns the message without the YAML and with shorter lists. */
function shortened(reference: ObjectReference, conversion: Conversion, { reason, exemptions }: DenialContext): string {
  const lines = [
    headline(reference, reason, nextStep(conversion, false)),
    routeLine(conversion, 10),
    ...existingLines(conversion),
    `The ${conversion.objects.length} objects to apply instead are too long for this message; convert prints them.`,
    ...remarkLines(conversion.report, 5),
    CONVERT,
    EXCEPTION[exemptions],
  ]
  return lines
    .map((line) => cut(line, 700))
    .join('\n')
    .replaceAll('map[', 'map [')
}

function headline(reference: ObjectReference, reason: Reason, next = APPLY): string {
  return coded(`${oneLine(cut(`${describe(reference)} is denied`, 120))}: ${REASONS[reason]}. ${next}`, reason)
}

const APPLY = 'Apply a Gateway and a VirtualService instead.'

/** No Gateway is printed if an existing one serves every host. */
function nextStep({ objects, existing }: Conversion, isBelow: boolean): string {
  const hasGateway = existing.size === 0 || objects.some(({ kind }) => kind === 'Gateway')
  if (hasGateway) return isBelow ? 'Apply the Gateway and VirtualService below instead.' : APPLY
  return isBelow ? 'Apply the VirtualService below instead.' : 'Apply a VirtualService instead.'
}

/** The Gateway may be in another namespace, but the VirtualService has to name it. */
function existingLines({ existing }: Conversion): readonly string[] {
  return [...existing].map(([gateway, hosts]) =>
    oneLine(
      `Gateway ${gateway} already serves ${listed(hosts, 5, ', ')} over HTTPS: bind to it, a second server would break both.`,
    ),
  )
}

function routeLine({ hosts }: Conversion, most: number): string {
  const routes = hosts.flatMap(describeRoutes)
  if (routes.length === 0) return 'No route could be converted; the reasons follow.'
  return `Equivalent routes: ${listed(routes, most, ', ')}.`
}

/** `#!` marks objects of other namespaces. */
function yamlBlock(objects: readonly JsonObject[], namespace: string): readonly string[] {
  if (objects.length === 0) return []
  const documents = objects.map((object) => {
    const place = referenceTo(object).namespace
    const mark = place === namespace ? '' : `#! for the platform team: namespace ${oneLine(place)}\n`
    return `${mark}${toYaml(object).trimEnd()}`
  })
  return ['Apply this instead:', '---', documents.join('\n---\n'), '---']
}

const HEADINGS: readonly (readonly [string, readonly Outcome[]])[] = [
  ['Could not convert', ['unsupported']],
  ['Differs', ['approximate', 'converted', 'not-needed', 'foreign']],
  ['For the platform team', ['platform-step']],
]

function remarkLines(report: readonly ReportLine[], most: number): readonly string[] {
  const lines = report.filter(needsAttention).toSorted(byLevel)
  return HEADINGS.flatMap(([heading, outcomes]) => {
    const texts = lines
      .filter(({ outcome }) => outcomes.includes(outcome))
      .map(({ about, message: text }) => `${about} (${text})`)
    return texts.length === 0 ? [] : [`${heading}: ${listed([...new Set(texts)], most, '; ')}.`]
  })
}
