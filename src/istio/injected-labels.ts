/**
 * The labels that injection templates add to a pod (`files/injection-template.yaml`,
 * `gateway-injection-template.yaml`).
 */
import { CANONICAL_NAME, CANONICAL_REVISION, NETWORK, TLS_MODE, TUNNEL } from './annotations.ts'
import { trimBoth } from '../kubernetes/trim-characters.ts'
import type { MergedTemplates } from './control-plane.ts'
import type { InjectionCall } from './injection-call.ts'
import { hasHbone } from './proxy-config.ts'

/**
 * Returns the pod's labels with those that the templates add. Policies may select them although admission does not see
 * them yet (docs/facts/injection.md#injected-labels-and-annotations).
 */
export function labelsAfter(call: InjectionCall, effect: MergedTemplates): ReadonlyMap<string, string> {
  const { pod, subject, controlPlane } = call
  const labels = new Map(pod.labels)
  const network = call.network || (controlPlane.injector?.network ?? '')
  if (network !== '' && !labels.has(NETWORK)) labels.set(NETWORK, network)
  if (effect.redirects) setDefault(labels, TLS_MODE, ['istio'])
  if (effect.redirects && hasHbone(pod.annotations, controlPlane)) setDefault(labels, TUNNEL, ['http'])
  if (effect.proxyType === 'none') return labels
  const name = [labels.get('app.kubernetes.io/name'), labels.get('app'), subject.workloadName]
  setDefault(
    labels,
    CANONICAL_NAME,
    name.map((text) => (effect.redirects ? asLabel(text) : text)),
  )
  const revision = [labels.get('app.kubernetes.io/version'), labels.get('version'), 'latest']
  setDefault(labels, CANONICAL_REVISION, revision)
  return labels
}

/** Sprig's `default`: an empty text counts as absent. */
function setDefault(labels: Map<string, string>, key: string, candidates: readonly (string | undefined)[]): void {
  if ((labels.get(key) ?? '') !== '') return
  labels.set(key, candidates.find((text) => text !== undefined && text !== '') ?? '')
}

/** `trunc 63 | trimAll "-_."` */
function asLabel(text: string | undefined): string | undefined {
  return text === undefined ? undefined : trimBoth(text.slice(0, 63), '-_.')
}
