/**
 * Ingresses to the objects that serve the same in Istio, in either API, with a report that accounts for every field and
 * annotation. Total: a part that cannot be converted is told and left out, and everything else is converted. The same
 * input gives the same output.
 */
import type { JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { oneLine } from '../kubernetes/yaml-text.ts'
import { isAcmeSolver } from './ingress/acme-solver.ts'
import { buildEntrances } from './gateways/plan-gateways.ts'
import { buildSites } from './hosts/plan-hosts.ts'
import type { ConversionOptions } from './model/conversion-options.ts'
import { isIngress, readIngress, type Ingress } from './ingress/ingress.ts'
import { gatewayApiObjects } from './emit/gateway-api/gateway-api-objects.ts'
import { istioObjects } from './emit/istio/istio-objects.ts'
import { readIngresses } from './read-ingresses.ts'
import type { ReportLine } from './model/report.ts'
import type { Site } from './model/virtual-host.ts'

export interface Conversion {
  readonly objects: readonly JsonObject[]
  /** By Ingress, in the order in which they were given. */
  readonly report: readonly ReportLine[]
  /** The same as routes, for those who want to say it in words. */
  readonly sites: readonly Site[]
}

/** `objects` of other kinds are passed over. */
export function convertIngresses(objects: readonly JsonObject[], options: ConversionOptions): Conversion {
  const given = objects.filter(isIngress)
  const last = new Set(withoutRepeats(given))
  const read = [...last].map((object) => ({ object, ingress: readObject(object) }))
  const solvers = read.filter(({ object, ingress }) => isAcmeSolver(object, ingress)).map(({ ingress }) => ingress)
  const ingresses = read.map(({ ingress }) => ingress).filter((ingress) => !solvers.includes(ingress))
  const { report, ...conversion } = convertRead(ingresses, options)
  const repeats = given.filter((object) => !last.has(object)).map(repeatLine)
  return { ...conversion, report: [...repeats, ...report, ...solvers.map(solverLine)] }
}

/** The last of each name, as the one that `kubectl apply` leaves behind; those of `generateName` are all different. */
function withoutRepeats(objects: readonly JsonObject[]): readonly JsonObject[] {
  const last = new Map(objects.map((object) => [idOf(object), object]))
  return objects.filter((object) => last.get(idOf(object)) === object || idOf(object).endsWith('*'))
}

function idOf(object: JsonObject): string {
  const { namespace, name } = referenceTo(object)
  return `${namespace}/${name}`
}

function repeatLine(object: JsonObject): ReportLine {
  const message = `${idOf(object)} is given twice: the last one is converted, as kubectl apply would leave it; remove the other`
  return inOneLine({ ingress: idOf(object), level: 'warn', about: 'metadata.name', outcome: 'not-needed', message })
}

function readObject(object: JsonObject): Ingress {
  const { namespace, name } = referenceTo(object)
  return readIngress(object, namespace, name)
}

function solverLine({ namespace, name }: Ingress): ReportLine {
  const message = "an ACME challenge's own Ingress: cert-manager makes it, and takes it away again"
  return { ingress: `${namespace}/${name}`, level: 'info', about: 'spec.rules', outcome: 'not-needed', message }
}

export function convertRead(ingresses: readonly Ingress[], given: ConversionOptions): Conversion {
  const options = withGatewayNamespace(given)
  const readings = readIngresses(ingresses, options)
  const sites = buildSites(readings, options)
  const entrances = buildEntrances(readings, sites, options)
  const print = options.target === 'istio' ? istioObjects : gatewayApiObjects
  const objects = print(entrances, sites, readings, options)
  const order = new Map(ingresses.map((ingress, index) => [ingress, index]))
  const inOrder = readings.toSorted((left, right) => (order.get(left.ingress) ?? 0) - (order.get(right.ingress) ?? 0))
  return {
    objects,
    sites,
    report: inOrder.flatMap(({ id, remarks }) => remarks.map((remark) => inOneLine({ ingress: id, ...remark }))),
  }
}

/** Keys and values of annotations are quoted in reports. */
function inOneLine(line: ReportLine): ReportLine {
  return { ...line, about: oneLine(line.about), message: oneLine(line.message) }
}

/** The pods of a Gateway API Gateway run where the Gateway is. */
function withGatewayNamespace(options: ConversionOptions): ConversionOptions {
  const { target, gateway } = options
  if (target === 'istio' || gateway.shared === '') return options
  return { ...options, gateway: { ...gateway, namespace: gateway.shared.split('/')[0] ?? gateway.namespace } }
}
