/** Assesses a situation: each topic is a function from the situation to its findings. */
import { indexNamespace, type PolicyIndex } from '../istio/policy-index.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import { collectFindings, type Finding } from './finding.ts'
import { finish, type Steps } from '../kubernetes/steps.ts'
import type { Situation } from './situation.ts'
import { findAmbient } from './topics/ambient.ts'
import { findCallbacks } from './topics/api-server-callbacks.ts'
import { findCallers } from './topics/callers.ts'
import { findClientPolicy } from './topics/client-policy.ts'
import { findCountedTraffic } from './topics/counted-traffic.ts'
import { findInjection } from './topics/injection.ts'
import { findLeftBehind } from './topics/left-behind.ts'
import { findOutsideTraffic } from './topics/outside-traffic.ts'
import { findProbes } from './topics/probes.ts'
import { findProxyBypass } from './topics/proxy-bypass.ts'
import { findRoutes } from './topics/routes.ts'
import { findScrapers } from './topics/scrapers.ts'
import { findSeenCallers } from './topics/seen-callers.ts'
import { findUnusedPolicies } from './topics/unused-policy.ts'

/** Yields the findings of one object after the other. */
type Topic = (situation: Situation) => Iterable<readonly Finding[]>

/** Worst first. Findings that prevent pod creation lead, because no fix can start a pod before they are gone. */
const TOPICS: readonly Topic[] = [
  findCallbacks,
  findProbes,
  findInjection,
  findCallers,
  findSeenCallers,
  findCountedTraffic,
  findClientPolicy,
  findProxyBypass,
  findOutsideTraffic,
  findRoutes,
  findScrapers,
  findAmbient,
  findUnusedPolicies,
  findLeftBehind,
]

/** Total. The cost is linear in the number of objects in scope. */
export function assess(situation: Situation): readonly Finding[] {
  return finish(assessInSteps(situation))
}

export function* assessInSteps(situation: Situation): Steps<readonly Finding[]> {
  const collected = collectFindings()
  for (const find of TOPICS)
    for (const findings of find(situation)) {
      for (const finding of findings) collected.add(finding)
      yield
    }
  const found = collected.all()
  return SEVERITIES_FIRST.flatMap((severity) => found.filter((one) => leadOf(one) === severity))
}

const SEVERITIES_FIRST = ['first', 'error', 'warn', 'info'] as const

function leadOf({ code, severity }: Finding): (typeof SEVERITIES_FIRST)[number] {
  return code === 'webhook-blocks-pods' ? 'first' : severity
}

/**
 * Replaces the namespace's policy without a selector by STRICT. For the root namespace that is the policy of the whole
 * mesh.
 */
export function assumingStrict(policies: PolicyIndex, namespace: string): PolicyIndex {
  const strict: PeerAuthentication = {
    namespace,
    name: 'default',
    createdAt: 0,
    revision: undefined,
    matchLabels: new Map(),
    mode: 'STRICT',
    portLevel: new Map(),
  }
  const known = policies.get(namespace)
  const own = indexNamespace([strict])
  const replaced = known === undefined ? own : { withoutSelector: own.withoutSelector, byLabel: known.byLabel }
  return { get: (name) => (name === namespace ? replaced : policies.get(name)) }
}
