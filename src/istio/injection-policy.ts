/**
 * istiod's own decision after its webhook is called: `injectRequired` (docs/facts/injection.md#istiods-own-decision).
 */
import { INJECT } from './annotations.ts'
import { matches, type LabelSelector } from '../kubernetes/label-selector.ts'
import type { Injector } from './control-plane.ts'
import { isOlderThan } from './version.ts'

/** Namespaces that istiod never injects into, regardless of their labels (`pkg/kube/inject/initializer.go`). */
const IGNORED_NAMESPACES = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'])

export interface PodIdentity {
  readonly namespace: string
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly hostNetwork: boolean
}

/** Why the injector does not inject; undefined if it does. */
export type Skip =
  | {
      readonly reason: 'host-network' | 'ignored-namespace' | 'opted-out' | 'never-inject-selector' | 'injection-policy'
      readonly evidence: string
    }
  | undefined

/**
 * | first match wins                                        | answer                        |
 * |---------------------------------------------------------|-------------------------------|
 * | hostNetwork                                             | no                            |
 * | ignored namespace                                       | no                            |
 * | policy neither enabled nor disabled                     | no, even for an explicit true |
 * | label, or annotation without a label, is exactly "true" | yes                           |
 * | ... exactly "false"                                     | no                            |
 * | a neverInjectSelector matches                           | no                            |
 * | an alwaysInjectSelector matches                         | yes                           |
 * | policy enabled / disabled                               | yes / no                      |
 */
export function skipReason(pod: PodIdentity, injector: Injector): Skip {
  if (pod.hostNetwork) return { reason: 'host-network', evidence: 'hostNetwork: true' }
  if (IGNORED_NAMESPACES.has(pod.namespace))
    return { reason: 'ignored-namespace', evidence: `istiod never injects into ${pod.namespace}` }
  if (injector.policy !== 'enabled' && injector.policy !== 'disabled')
    return { reason: 'injection-policy', evidence: `unknown injector policy ${JSON.stringify(injector.policy)}` }
  const wish = explicitWish(pod, injector)
  if (wish === 'true') return undefined
  if (wish === 'false') return { reason: 'opted-out', evidence: `${INJECT}: ${injectValue(pod) ?? ''}` }
  return defaultDecision(pod, injector)
}

/** The label is read first and shadows the annotation, even if it is empty. */
function injectValue(pod: PodIdentity): string | undefined {
  return pod.labels.get(INJECT) ?? pod.annotations.get(INJECT)
}

/** Before 1.27 YAML booleans counted, and any other text meant no (331d32e30a3, #56737). */
function explicitWish(pod: PodIdentity, injector: Injector): 'true' | 'false' | 'default' {
  const value = injectValue(pod) ?? ''
  if (isOlderThan(injector.version, 1, 27)) {
    if (['y', 'yes', 'true', 'on'].includes(value.toLowerCase())) return 'true'
    return value === '' ? 'default' : 'false'
  }
  return value === 'true' || value === 'false' ? value : 'default'
}

function defaultDecision(pod: PodIdentity, injector: Injector): Skip {
  if (matchesAny(injector.neverInjectSelector, pod))
    return { reason: 'never-inject-selector', evidence: "the injector's neverInjectSelector matches" }
  if (matchesAny(injector.alwaysInjectSelector, pod) || injector.policy === 'enabled') return undefined
  return { reason: 'injection-policy', evidence: 'injector policy: disabled' }
}

/** Empty selectors in these lists are skipped (`!selector.Empty()`). */
function matchesAny(selectors: readonly LabelSelector[], pod: PodIdentity): boolean {
  return selectors.some((selector) => selector.requirements.length > 0 && matches(selector, pod.labels))
}
