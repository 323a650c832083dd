/**
 * Ingresses to the objects that serve the same in Istio, in either API, with a report that accounts for every field and
 * annotation. Total: a part that cannot be converted is told and left out, and everything else is converted. The same
 * input gives the same output.
 */
import type { JsonObject } from '../kubernetes/json.ts'
import { stringMember } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { buildEntrances } from './build-entrances.ts'
import { buildSites } from './build-sites.ts'
import type { ConversionOptions } from './conversion-options.ts'
import { readIngress, type Ingress } from './ingress.ts'
import { istioObjects } from './istio/istio-objects.ts'
import { readIngresses } from './read-ingresses.ts'
import type { ReportLine } from './report.ts'
import type { Site } from './site.ts'

export interface Conversion {
  readonly objects: readonly JsonObject[]
  /** By Ingress, in the order in which they were given. */
  readonly report: readonly ReportLine[]
  /** The same as routes, for those who want to say it in words. */
  readonly sites: readonly Site[]
}

/** `objects` of other kinds are passed over. */
export function convertIngresses(objects: readonly JsonObject[], options: ConversionOptions): Conversion {
  const ingresses = objects.filter((object) => stringMember(object, 'kind') === 'Ingress').map(readObject)
  return convertRead(ingresses, options)
}

function readObject(object: JsonObject): Ingress {
  const { namespace, name } = referenceTo(object)
  return readIngress(object, namespace, name)
}

export function convertRead(ingresses: readonly Ingress[], options: ConversionOptions): Conversion {
  const readings = readIngresses(ingresses, options)
  const sites = buildSites(readings, options)
  const entrances = buildEntrances(readings, sites, options)
  const objects = istioObjects(entrances, sites, readings, options)
  const order = new Map(ingresses.map((ingress, index) => [ingress, index]))
  const inOrder = readings.toSorted((left, right) => (order.get(left.ingress) ?? 0) - (order.get(right.ingress) ?? 0))
  return {
    objects,
    sites,
    report: inOrder.flatMap(({ id, remarks }) => remarks.map((remark) => ({ ingress: id, ...remark }))),
  }
}
