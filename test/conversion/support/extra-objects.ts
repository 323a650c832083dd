/** Whether a conversion has the further objects, or the platform's step, that a case expects. */
import type { Target } from '../../../src/conversion/model/conversion-options.ts'
import type { ReportLine } from '../../../src/conversion/model/report.ts'
import { isObject, member, memberAt, stringMember, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

export function hasExtra(
  objects: readonly JsonObject[],
  report: readonly ReportLine[],
  wanted: JsonObject,
  target: Target,
): boolean {
  const kind = stringMember(wanted, 'kind') ?? ''
  // A mesh's configuration is no object of the cluster's API: the report has to give it whole.
  if (kind === 'MeshConfig')
    return report.some(
      ({ outcome, message }) =>
        outcome === 'platform-step' &&
        leaves(member(wanted, 'extensionProviders')).every((leaf) => message.includes(leaf)),
    )
  const candidates = objects.filter((object) => object['kind'] === kind)
  const facts = leaves(
    Object.fromEntries(Object.entries(wanted).filter(([key]) => !['kind', 'apply', 'namespace'].includes(key))),
  )
  const isThere = (object: JsonObject) => {
    const given = leaves(object)
    return facts.every((fact) => given.some((leaf) => leaf === fact || leaf.startsWith(`${fact}/`)))
  }
  const isPlaced = (object: JsonObject) =>
    member(wanted, 'namespace') === undefined ||
    target === 'gateway-api' ||
    memberAt(object, 'metadata', 'namespace') === 'istio-system'
  return candidates.some((object) => isThere(object) && isPlaced(object))
}

/** Strings and numbers anywhere in a value. */
function leaves(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(leaves)
  if (isObject(value)) return Object.values(value).flatMap(leaves)
  return value === undefined || value === null ? [] : [String(value)]
}
