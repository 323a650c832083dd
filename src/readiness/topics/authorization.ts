/** AuthorizationPolicies that deny requests without an identity, such as kubelet's. */
import { arrayMember, member, memberAt, stringMap, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { annotationsOf, referenceTo } from '../../kubernetes/object.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { indexBySelector, type SelectorIndex } from '../../kubernetes/selector-index.ts'
import type { Inventory } from '../inventory.ts'
import type { Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { matchRule, type PlainRequest } from './request-match.ts'

export interface BlockingPolicy {
  /** `namespace/name` */
  readonly name: string
  readonly action: 'ALLOW' | 'DENY'
}

/**
 * | first match wins                                          | the request is                |
 * |-----------------------------------------------------------|-------------------------------|
 * | a rule of a DENY policy matches it                        | denied by that policy         |
 * | no ALLOW policy selects the workload                      | allowed                       |
 * | a rule of an ALLOW policy matches it, or may match it     | allowed                       |
 * | otherwise                                                 | denied for want of permission |
 */
export function blockingPolicy(
  workload: Workload,
  unit: Unit,
  request: PlainRequest,
  { estate }: Situation,
): BlockingPolicy | undefined {
  const byNamespace = policiesOf(estate.inventory)
  const namespaces = new Set([workload.namespace, estate.rootNamespace])
  const selecting = [...namespaces].flatMap((namespace) => byNamespace.get(namespace)?.selecting(unit.labels) ?? [])
  const denying = selecting.find(
    (policy) =>
      actionOf(policy) === 'DENY' && rulesOf(policy).some((rule) => matchRule(rule, request, 'DENY') === 'yes'),
  )
  if (denying !== undefined) return { name: nameOf(denying), action: 'DENY' }
  const allowing = selecting.filter((policy) => actionOf(policy) === 'ALLOW')
  const [first] = allowing
  if (first === undefined) return undefined
  const isAllowed = allowing.some((policy) =>
    rulesOf(policy).some((rule) => matchRule(rule, request, 'ALLOW') !== 'no'),
  )
  return isAllowed ? undefined : { name: nameOf(first), action: 'ALLOW' }
}

function rulesOf(policy: JsonObject) {
  return arrayMember(member(policy, 'spec'), 'rules')
}

function nameOf(policy: JsonObject): string {
  const { namespace, name } = referenceTo(policy)
  return `${namespace}/${name}`
}

const INDEXES = new WeakMap<readonly JsonObject[], ReadonlyMap<string, SelectorIndex<JsonObject>>>()

/** Returns the policies in force for workloads, by namespace. */
function policiesOf(inventory: Inventory): ReadonlyMap<string, SelectorIndex<JsonObject>> {
  const rows = inventory.list('authorizationPolicies')
  const known = INDEXES.get(rows)
  if (known !== undefined) return known
  const inForce = rows.filter((policy) => isForWorkloads(policy) && !isDryRun(policy))
  const indexes = new Map(
    [...groupBy(inForce, (object) => referenceTo(object).namespace)].map(([namespace, policies]) => [
      namespace,
      indexBySelector(policies, (policy) => stringMap(memberAt(policy, 'spec', 'selector', 'matchLabels'))),
    ]),
  )
  INDEXES.set(rows, indexes)
  return indexes
}

/** CUSTOM asks a server of the user's, and AUDIT decides nothing. */
function actionOf(policy: JsonObject): string {
  return stringMember(member(policy, 'spec'), 'action') ?? 'ALLOW'
}

/** A policy with targetRefs applies to waypoints and gateways. */
function isForWorkloads(policy: JsonObject): boolean {
  return (
    memberAt(policy, 'spec', 'targetRef') === undefined &&
    arrayMember(member(policy, 'spec'), 'targetRefs').length === 0
  )
}

/** https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/ */
function isDryRun(policy: JsonObject): boolean {
  return annotationsOf(policy).get('istio.io/dry-run') === 'true'
}
