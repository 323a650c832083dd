/**
 * Guards the switch to STRICT: a PeerAuthentication that would break running workloads causes a warning, or a denial if
 * the settings say so. Deleting and loosening are never denied.
 */
import { readPeerAuthentication } from '../../istio/read-peer-authentication.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { finish, type Steps } from '../../kubernetes/steps.ts'
import type { Inventory } from '../../readiness/inventory.ts'
import type { Mesh } from '../../istio/mesh.ts'
import { coded } from '../reasons.ts'
import { NO_OPINION, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { compareSwitch, type SwitchEffect } from './compare-switch.ts'
import { denialText, gapsOf, summaryOf, warningLines } from './switch-messages.ts'
import { readSwitchSetting, type SwitchSetting } from './switch-setting.ts'

export const strictSwitchRule: Rule = {
  name: 'strict-switch',
  handles: (kind) => kind === 'PeerAuthentication',
  apply: (request, context) => finish(guardSwitch(request, context)),
  applyInSteps: guardSwitch,
}

/**
 * | first match wins                                   | answer | reason                 |
 * |----------------------------------------------------|--------|------------------------|
 * | the object is malformed                            | allow  | malformed              |
 * | setting allow                                      | allow  | strict-switch-allowed  |
 * | the cluster's workloads are unknown                | warn   | strict-switch-unknown  |
 * | nothing new breaks, but not all is known of STRICT | warn   | strict-switch-unknown  |
 * | nothing breaks that did not break before           | allow  | strict-switch-harmless |
 * | setting deny, and the change tightens              | deny   | strict-switch-breaks   |
 * | otherwise                                          | warn   | strict-switch-breaks   |
 */
function* guardSwitch(request: WriteRequest, context: RuleContext): Steps<RuleResult> {
  const setting = readSwitchSetting(request, context)
  const base: RuleResult = {
    ...NO_OPINION,
    warnings: setting.warnings,
    refusedSettings: setting.warnings.length === 0 ? [] : ['setting-refused'],
  }
  const policy = readPeerAuthentication(request.object)
  if (isProblem(policy)) return decided(base, 'allow', 'malformed', `${policy.field} ${policy.problem}`)
  const { mesh, configuration } = context
  if (setting.value === 'allow')
    return { ...decided(base, 'allow', 'strict-switch-allowed', setting.value), exemptions: exemptionsOf(setting) }
  if (!isInventory(mesh) || mesh.unreadKinds.some((kind) => ESSENTIAL.has(kind)))
    return unknown(base, request, 'not all workloads of the cluster could be read')
  const written = { ...policy, namespace: request.reference.namespace }
  const effect = yield* compareSwitch(written, mesh, configuration)
  if (effect.broken.length === 0) {
    const gaps = effect.isStrict ? gapsOf(effect) : []
    return gaps.length === 0
      ? decided(base, 'allow', 'strict-switch-harmless', 'nothing new breaks')
      : unknown(base, request, gaps.join(', and '))
  }
  return answer(base, request, setting, effect)
}

/** Without these there is nothing to compare; without any other kind only its own findings are unknown. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  'namespaces',
  'services',
  'peerauthentications',
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'replicationcontrollers',
  'jobs',
  'cronjobs',
  'pods',
])

function answer(
  base: RuleResult,
  { reference }: WriteRequest,
  setting: SwitchSetting,
  effect: SwitchEffect,
): RuleResult {
  const evidence = summaryOf(effect)
  const exemptions = exemptionsOf(setting)
  if (setting.value === 'deny' && effect.isTightening)
    return {
      ...decided(base, 'deny', 'strict-switch-breaks', evidence),
      exemptions,
      denial: denialText(reference, effect),
    }
  const warnings = [...base.warnings, ...warningLines(reference, effect)]
  return { ...decided(base, 'warn', 'strict-switch-breaks', evidence), exemptions, warnings }
}

function decided(
  base: RuleResult,
  action: 'allow' | 'warn' | 'deny',
  reason: RuleResult['decisions'][number]['reason'],
  evidence: string,
): RuleResult {
  return { ...base, decisions: [{ rule: 'strict-switch', action, reason, evidence }] }
}

function unknown(base: RuleResult, { reference }: WriteRequest, why: string): RuleResult {
  const text = `PeerAuthentication ${reference.namespace}/${reference.name}: its effect is unknown, because ${why}; run istio-onramp check before you rely on it`
  return {
    ...decided(base, 'warn', 'strict-switch-unknown', why),
    warnings: [...base.warnings, coded(text, 'strict-switch-unknown')],
  }
}

/** An exemption counts only if it loosened a denial or a warning. */
function exemptionsOf({ exemptedBy, value }: SwitchSetting): RuleResult['exemptions'] {
  return exemptedBy === undefined ? [] : [{ rule: 'strict-switch', by: exemptedBy, setting: value }]
}

/** The cluster's state implements both; a context made for a single rule may not. */
function isInventory(mesh: Mesh): mesh is Inventory {
  return 'list' in mesh && 'unreadKinds' in mesh
}
