/**
 * What an uninstalled istio-onramp leaves: workloads whose templates it rewrote, and labels of namespaces. Nothing is
 * left behind while a webhook of ours exists, or while that is unknown.
 */
import { describe } from '../../kubernetes/object.ts'
import { RECEIPT } from '../../rules/probes/receipt.ts'
import { finding, type Finding } from '../finding.ts'
import { workloadsInScope, type Situation } from '../situation.ts'
import type { Workload } from '../workload.ts'

const PREFIX = 'istio-onramp.io/'

export function* findLeftBehind(situation: Situation): Iterable<readonly Finding[]> {
  const { inventory, namespaces } = situation.estate
  if (inventory.list('ownWebhooks').length > 0) return
  if (inventory.unreadKinds.includes('mutatingwebhookconfigurations')) return
  for (const workload of workloadsInScope(situation)) yield judgeTemplate(workload)
  for (const { name, labels } of namespaces)
    if (situation.scope === undefined || situation.scope === name) yield judgeLabels(name, [...labels.keys()])
}

/** Only templates: a pod that was rewritten when it was created is replaced by the original. */
function judgeTemplate({ reference, namespace, template }: Workload): readonly Finding[] {
  if (template === undefined || !template.pod.annotations.has(RECEIPT)) return []
  const [kind, name] = [reference.kind.toLowerCase(), reference.name]
  return [
    finding('rewrite-left-behind', {
      object: reference,
      message: `The template of ${describe(reference)} has probes or hooks that istio-onramp rewrote, and no istio-onramp webhook was found.`,
      fix: `kubectl -n ${namespace} get ${kind} ${name} -o yaml | istio-onramp restore -f - | kubectl replace -f -`,
      scope: namespace,
    }),
  ]
}

function judgeLabels(namespace: string, keys: readonly string[]): readonly Finding[] {
  const ours = keys.filter((key) => key.startsWith(PREFIX))
  if (ours.length === 0) return []
  return [
    finding('label-left-behind', {
      object: { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace },
      message: `Namespace ${namespace} has ${ours.join(', ')}, and no istio-onramp webhook was found.`,
      fix: `kubectl label namespace ${namespace} ${ours.map((key) => `${key}-`).join(' ')}`,
      scope: namespace,
    }),
  ]
}
