/**
 * Converts Ingresses to equivalent objects of Istio or the Gateway API, with a report on every field and annotation.
 * Total: parts that cannot be converted are reported and omitted, and the rest is converted. The same input always
 * gives the same output.
 */
import { memberAt, stringMember, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { oneLine } from '../kubernetes/yaml-text.ts'
import { prefixNotes } from './annotations/external-dns.ts'
import { settingNotes } from './annotations/nginx/setting-notes.ts'
import { providerNotes } from './annotations/nginx/external-auth.ts'
import { assumedDefaults } from './annotations/nginx/defaults.ts'
import type { EmittedObject } from './emit/emitted-object.ts'
import { gatewayApiObjects } from './emit/gateway-api/gateway-api-objects.ts'
import { printableHosts } from './emit/gateway-api/printable-hosts.ts'
import { istioObjects } from './emit/istio/istio-objects.ts'
import { settleClaims } from './gateways/plain-hosts.ts'
import type { GatewayPlan } from './gateways/gateway-plan.ts'
import { planGateways } from './gateways/plan-gateways.ts'
import { classGatewayNotes, entryPointNotes, separateEntryPoints } from './hosts/entry-points.ts'
import { planHosts } from './hosts/plan-hosts.ts'
import { tlsCoverage } from './hosts/tls-coverage.ts'
import { isAcmeSolver } from './ingress/acme-solver.ts'
import { ingressId, isIngress, readIngress, type Ingress } from './ingress/ingress.ts'
import type { ReadIngress } from './ingress/read-ingress.ts'
import { hasClassGateways, type ConversionOptions } from './model/conversion-options.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import type { Note, ReportLine } from './model/report.ts'
import { otherRoutes } from './other-routes.ts'
import type { VirtualHost } from './model/virtual-host.ts'
import { readIngresses } from './read-ingresses.ts'
import { unaccountedFields } from './unaccounted-fields.ts'

export interface Conversion {
  readonly objects: readonly EmittedObject[]
  /** By Ingress, in input order. */
  readonly report: readonly ReportLine[]
  readonly notes: readonly Note[]
  /** The same as virtual hosts, from which routes can be described in words. */
  readonly hosts: readonly VirtualHost[]
  /** The existing Gateways to which VirtualServices bind, as `namespace/name`, with the hosts that they serve. */
  readonly existing: ReadonlyMap<string, readonly string[]>
}

/** Counts objects of other kinds that route requests, and ignores the rest. */
export function convertIngresses(objects: readonly JsonObject[], options: ConversionOptions): Conversion {
  const given = objects.filter(isIngress)
  const last = new Set(lastOfEachName(given))
  const read = readObjects([...last])
  const solvers = read.filter(({ object, ingress }) => isAcmeSolver(object, ingress)).map(({ ingress }) => ingress)
  const isSolver = new Set(solvers)
  const ingresses = read.map(({ ingress }) => ingress).filter((ingress) => !isSolver.has(ingress))
  const { report, notes, ...conversion } = convertParsed(ingresses, {
    defaultClass: defaultClassOf(objects),
    middlewares: middlewaresIn(objects),
    ...options,
  })
  const repeats = given.filter((object) => !last.has(object)).map(repeatLine)
  return {
    ...conversion,
    notes: [...notes, ...otherRoutes(objects)].map(noteInOneLine),
    report: [...repeats, ...report, ...solvers.map(solverLine)],
  }
}

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class */
function defaultClassOf(objects: readonly JsonObject[]): string | undefined {
  const isDefault = (object: JsonObject) =>
    object['kind'] === 'IngressClass' &&
    memberAt(object, 'metadata', 'annotations', 'ingressclass.kubernetes.io/is-default-class') === 'true'
  const found = objects.find(isDefault)
  return found && referenceTo(found).name
}

/** https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/middleware/ */
function middlewaresIn(objects: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  const found = objects.filter(
    (object) => /^traefik\./.test(stringMember(object, 'apiVersion') ?? '') && object['kind'] === 'Middleware',
  )
  return new Map(
    found.map((object) => {
      const { namespace, name } = referenceTo(object)
      return [`${namespace}-${name}`, object]
    }),
  )
}

/** Keeps the last Ingress of each name, as `kubectl apply` does. Ingresses with `generateName` are all different. */
function lastOfEachName(objects: readonly JsonObject[]): readonly JsonObject[] {
  const last = new Map(objects.map((object) => [idOf(object), object]))
  return objects.filter((object) => last.get(idOf(object)) === object || idOf(object).endsWith('*'))
}

function idOf(object: JsonObject): string {
  const { namespace, name } = referenceTo(object)
  return `${namespace}/${name}`
}

function repeatLine(object: JsonObject): ReportLine {
  const message = `${idOf(object)} is in the input more than once. The last one is converted, as with kubectl apply; remove the others`
  return inOneLine({ ingress: idOf(object), level: 'warn', about: 'metadata.name', outcome: 'not-needed', message })
}

interface ReadObject {
  readonly object: JsonObject
  readonly ingress: Ingress
}

/** Ingresses without a name of their own get one each, so that their objects do not replace each other. */
function readObjects(objects: readonly JsonObject[]): readonly ReadObject[] {
  const names = new Set(objects.map(idOf))
  return objects.map((object) => {
    const { namespace, name } = referenceTo(object)
    if (!name.endsWith('*')) return { object, ingress: readIngress(object, namespace, name) }
    const given = freeName(namespace, name === '*' ? 'ingress-' : name.slice(0, -1), names)
    names.add(`${namespace}/${given}`)
    const ingress = readIngress(object, namespace, given)
    return { object, ingress: { ...ingress, lines: [...ingress.lines, namelessLine(ingress, name === '*')] } }
  })
}

function freeName(namespace: string, prefix: string, taken: ReadonlySet<string>): string {
  let number = 1
  while (taken.has(`${namespace}/${prefix}${number}`)) number += 1
  return `${prefix}${number}`
}

function namelessLine(ingress: Ingress, isRejected: boolean): ReportLine {
  const why = isRejected
    ? 'the Ingress has neither a name nor generateName, which Kubernetes rejects'
    : 'the Ingress has generateName, so each apply creates another one'
  const message = `${why}; its objects are named after ${ingress.name}`
  return { ingress: ingressId(ingress), level: 'warn', about: 'metadata.name', outcome: 'approximate', message }
}

function solverLine(ingress: Ingress): ReportLine {
  const message = 'the Ingress of an ACME challenge: cert-manager creates and removes it'
  return { ingress: ingressId(ingress), level: 'info', about: 'spec.rules', outcome: 'not-needed', message }
}

function noteInOneLine({ level, about, outcome, message }: Note): Note {
  return { level, about: oneLine(about), outcome, message: oneLine(message) }
}

/** Each setting once, however many Ingresses have it. */
function controllerNotes(readings: readonly ReadIngress[], { controllerSettings }: ConversionOptions): readonly Note[] {
  if (controllerSettings === undefined) return assumedDefaults(readings)
  const notes = [...readings.flatMap(({ inherited = [] }) => inherited), ...settingNotes(controllerSettings)]
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()]
}

/** Runs four stages: read each Ingress, plan the hosts, plan the Gateways, print the objects. */
export function convertParsed(ingresses: readonly Ingress[], given: ConversionOptions): Conversion {
  const options = withGatewayNamespace(given)
  const read = readIngresses(ingresses, options)
  const apart = hasClassGateways(options) ? { value: read.value, lines: [] } : separateEntryPoints(read.value)
  const parts = entryPointsOf(apart.value, options).map((readings) => planEntryPoint(readings, options))
  const [plans, hosts] = [parts.flatMap((part) => part.plans), parts.flatMap((part) => part.hosts)]
  const emit = options.target === 'istio' ? istioObjects : gatewayApiObjects
  const emitted = emit(plans, hosts, options)
  const coverage = new Map(parts.flatMap(({ readings, tls }) => readings.map(({ id }) => [id, tls] as const)))
  const settled = settleClaims(read.lines, apart.value, (id) => coverage.get(id) ?? new Set())
  const planLines = [...settled, ...apart.lines, ...parts.flatMap(({ lines }) => lines)]
  const report = reportOf(ingresses, planLines, [...parts.flatMap(({ late }) => late), ...emitted.lines])
  const notes = [
    ...(hasClassGateways(options) ? classGatewayNotes(read.value) : entryPointNotes(read.value, options.gateway)),
    ...providerNotes(read.value),
    ...prefixNotes(read.value),
    ...controllerNotes(read.value, options),
  ]
  return { objects: emitted.value, hosts, existing: existingGateways(plans), report, notes }
}

function existingGateways(plans: readonly GatewayPlan[]): Conversion['existing'] {
  const pairs = plans.flatMap(({ existing }) => [...existing])
  const groups = groupBy(pairs, ([, gateway]) => gateway)
  return new Map([...groups].map(([gateway, group]) => [gateway, group.map(([{ host }]) => host)]))
}

/** Ingresses that one gateway serves. Only the Gateway API has a gateway for each ingress class. */
function entryPointsOf(
  readings: readonly ReadIngress[],
  options: ConversionOptions,
): readonly (readonly ReadIngress[])[] {
  if (!hasClassGateways(options)) return [readings]
  return [...groupBy(readings, ({ entryPoint }) => entryPoint?.key).values()]
}

function planEntryPoint(readings: readonly ReadIngress[], options: ConversionOptions) {
  const tls = tlsCoverage(readings, options)
  const planned = planHosts(readings, tls, options)
  const hosts = options.target === 'istio' ? { value: planned.value, lines: [] } : printableHosts(planned.value)
  const gateways = planGateways(readings, hosts.value, tls, options)
  return {
    readings,
    tls,
    hosts: hosts.value,
    plans: gateways.value,
    lines: [...planned.lines, ...gateways.lines],
    late: hosts.lines,
  }
}

/** Orders lines by Ingress, in input order. Ingresses of one `generateName` share their id, and so their lines. */
function reportOf(
  ingresses: readonly Ingress[],
  plans: readonly ReportLine[],
  emitted: readonly ReportLine[],
): readonly ReportLine[] {
  const planLines = groupBy(plans, ({ ingress }) => ingress)
  const emittedLines = groupBy(emitted, ({ ingress }) => ingress)
  const lines = [...groupBy(ingresses, ingressId)].flatMap(([id, group]) => {
    const own = planLines.get(id) ?? []
    return [...own, ...group.flatMap((ingress) => unaccountedFields(ingress, own)), ...(emittedLines.get(id) ?? [])]
  })
  return lines.map(inOneLine)
}

/** Reports quote keys and values of annotations, which may have line breaks. */
function inOneLine(line: ReportLine): ReportLine {
  const { ingress, level, about, outcome, message } = line
  if (!BREAKS.test(about) && !BREAKS.test(message)) return line
  return { ingress, level, about: oneLine(about), outcome, message: oneLine(message) }
}

/** What `oneLine` replaces. */
const BREAKS = /[\p{Cc}\u2028\u2029]/u

/** The pods of a Gateway API Gateway run in the Gateway's namespace. */
function withGatewayNamespace(options: ConversionOptions): ConversionOptions {
  const { target, gateway } = options
  if (target === 'istio' || gateway.shared === '') return options
  return { ...options, gateway: { ...gateway, namespace: gateway.shared.split('/')[0] ?? gateway.namespace } }
}
