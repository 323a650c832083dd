/** AuthorizationPolicies that deny requests without an identity, such as kubelet's. */
import {
  arrayMember,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { referenceTo } from '../../kubernetes/object.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { indexBySelector, type SelectorIndex } from '../../kubernetes/selector-index.ts'
import type { Inventory } from '../inventory.ts'
import type { Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'

/**
 * Returns the ALLOW policy that denies a request without an identity to the port; undefined if some policy allows it,
 * none selects the workload, or it cannot be determined. `path` is undefined unless the request is HTTP/1.
 */
export function blockingPolicy(
  workload: Workload,
  unit: Unit,
  port: number,
  path: string | undefined,
  { estate }: Situation,
): string | undefined {
  const byNamespace = policiesOf(estate.inventory)
  const namespaces = new Set([workload.namespace, estate.rootNamespace])
  const allowing = [...namespaces].flatMap((namespace) => byNamespace.get(namespace)?.selecting(unit.labels) ?? [])
  const [first] = allowing
  if (first === undefined) return undefined
  if (
    allowing.some((policy) => arrayMember(member(policy, 'spec'), 'rules').some((rule) => mayAdmit(rule, port, path)))
  )
    return undefined
  const { namespace, name } = referenceTo(first)
  return `${namespace}/${name}`
}

const INDEXES = new WeakMap<readonly JsonObject[], ReadonlyMap<string, SelectorIndex<JsonObject>>>()

/** Returns the ALLOW policies for workloads, by namespace. */
function policiesOf(inventory: Inventory): ReadonlyMap<string, SelectorIndex<JsonObject>> {
  const rows = inventory.list('authorizationPolicies')
  const known = INDEXES.get(rows)
  if (known !== undefined) return known
  const allowing = rows.filter((policy) => isAllow(policy) && isForWorkloads(policy))
  const indexes = new Map(
    [...groupBy(allowing, (object) => referenceTo(object).namespace)].map(([namespace, policies]) => [
      namespace,
      indexBySelector(policies, (policy) => stringMap(memberAt(policy, 'spec', 'selector', 'matchLabels'))),
    ]),
  )
  INDEXES.set(rows, indexes)
  return indexes
}

function isAllow(policy: JsonObject): boolean {
  return (stringMember(member(policy, 'spec'), 'action') ?? 'ALLOW') === 'ALLOW'
}

/** A policy with targetRefs applies to waypoints and gateways. */
function isForWorkloads(policy: JsonObject): boolean {
  return (
    memberAt(policy, 'spec', 'targetRef') === undefined &&
    arrayMember(member(policy, 'spec'), 'targetRefs').length === 0
  )
}

/** Whether a rule may allow the request. Conditions and addresses are not evaluated, so they count as a match. */
function mayAdmit(rule: Json, port: number, path: string | undefined): boolean {
  const from = arrayMember(rule, 'from')
  const isSourceOpen = from.length === 0 || from.some((entry) => !needsIdentity(member(entry, 'source')))
  const to = arrayMember(rule, 'to')
  return isSourceOpen && (to.length === 0 || to.some((entry) => mayMatch(member(entry, 'operation'), port, path)))
}

function needsIdentity(source: Json | undefined): boolean {
  return ['principals', 'namespaces', 'requestPrincipals', 'serviceAccounts'].some(
    (key) => arrayMember(source, key).length > 0,
  )
}

function mayMatch(operation: Json | undefined, port: number, path: string | undefined): boolean {
  const ports = arrayMember(operation, 'ports')
  if (ports.length > 0 && !ports.includes(String(port))) return false
  const methods = arrayMember(operation, 'methods')
  if (path !== undefined && methods.length > 0 && !methods.some((method) => method === 'GET' || method === '*'))
    return false
  const paths = arrayMember(operation, 'paths').filter((entry) => typeof entry === 'string')
  if (path === undefined || paths.length === 0) return true
  const plain = path.split('?')[0] ?? path
  return paths.some((pattern) => matchesPattern(pattern, plain))
}

/** Exact, `prefix*`, `*suffix` or `*`. Templates with braces are not evaluated and count as a match. */
function matchesPattern(pattern: string, path: string): boolean {
  if (pattern.includes('{')) return true
  if (pattern === '*') return true
  if (pattern.endsWith('*')) return path.startsWith(pattern.slice(0, -1))
  if (pattern.startsWith('*')) return path.endsWith(pattern.slice(1))
  return pattern === path
}
