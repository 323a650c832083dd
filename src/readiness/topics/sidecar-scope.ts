/**
 * Sidecar objects that hide a Service from a client
 * (https://istio.io/latest/docs/reference/config/networking/sidecar/).
 */
import { arrayMember, member, memberAt, stringMap, type JsonObject } from '../../kubernetes/json.ts'
import { referenceTo } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { indexBySelector, type SelectorIndex } from '../../kubernetes/selector-index.ts'
import type { Situation } from '../situation.ts'
import type { Unit } from '../workload.ts'

/** Returns `namespace/name` of the client's effective Sidecar if it does not include the called Service. */
export function sidecarHiding(unit: Unit, { target }: Call, situation: Situation): string | undefined {
  const sidecar = sidecarOf(unit, situation)
  if (sidecar === undefined || target.service === undefined) return undefined
  const egress = arrayMember(member(sidecar, 'spec'), 'egress')
  if (egress.length === 0) return undefined
  const { namespace, name } = target.service
  const host = `${name}.${namespace}.svc.cluster.local`
  const isVisible = egress
    .flatMap((entry) => arrayMember(entry, 'hosts'))
    .some((entry) => typeof entry === 'string' && admits(entry, namespace, host, unit.namespace))
  const { namespace: space, name: own } = referenceTo(sidecar)
  return isVisible ? undefined : `${space}/${own}`
}

/** Matches entries such as `./*`, `shop/*` and `~/*`. */
function admits(entry: string, namespace: string, host: string, own: string): boolean {
  const slash = entry.indexOf('/')
  const space = slash === -1 ? '*' : entry.slice(0, slash)
  const pattern = slash === -1 ? entry : entry.slice(slash + 1)
  if (space !== '*' && space !== namespace && !(space === '.' && own === namespace)) return false
  return pattern === '*' || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)))
}

const INDEXES = new WeakMap<readonly JsonObject[], ReadonlyMap<string, SidecarsOfNamespace>>()

interface SidecarsOfNamespace {
  readonly plain: JsonObject | undefined
  readonly selecting: SelectorIndex<JsonObject>
}

/**
 * Returns the Sidecar with a matching selector, otherwise the namespace's without a selector, otherwise the root
 * namespace's.
 */
function sidecarOf(unit: Unit, { estate }: Situation): JsonObject | undefined {
  const rows = estate.inventory.list('sidecars')
  const indexes = INDEXES.get(rows) ?? indexSidecars(rows)
  INDEXES.set(rows, indexes)
  const own = indexes.get(unit.namespace)
  return own?.selecting.selecting(unit.labels)[0] ?? own?.plain ?? indexes.get(estate.rootNamespace)?.plain
}

function indexSidecars(rows: readonly JsonObject[]): ReadonlyMap<string, SidecarsOfNamespace> {
  const labelsOf = (object: JsonObject) => stringMap(memberAt(object, 'spec', 'workloadSelector', 'labels'))
  const isPlain = (object: JsonObject) => labelsOf(object).size === 0
  return new Map(
    [...groupBy(rows, (object) => referenceTo(object).namespace)].map(([namespace, sidecars]) => [
      namespace,
      {
        plain: sidecars.find(isPlain),
        selecting: indexBySelector(
          sidecars.filter((object) => !isPlain(object)),
          labelsOf,
        ),
      },
    ]),
  )
}
