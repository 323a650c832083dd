/**
 * Istio's name for an object's workload. It becomes the label `service.istio.io/canonical-name` of pods without a
 * better one, and policies may select it (`pkg/kube/util.go` GetDeployMetaFromPod).
 */
import { arrayMember, member, stringMember, type JsonObject } from '../kubernetes/json.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'

/** A CronJob appends a time stamp of eight to ten digits to the names of its Jobs. */
const CRON_JOB_SUFFIX = /^(.*)-\d{8,10}$/

export function workloadNameOf(object: JsonObject): string {
  const metadata = metadataOf(object)
  const name = stringMember(metadata, 'name') ?? ''
  if ((stringMember(metadata, 'generateName') ?? '') === '') return name
  const owner = arrayMember(metadata, 'ownerReferences').find((reference) => member(reference, 'controller') === true)
  const ownerName = stringMember(owner, 'name') ?? ''
  if (owner === undefined || ownerName === '') return name
  return behindOwner(stringMember(owner, 'kind') ?? '', ownerName, labelsOf(object))
}

function behindOwner(kind: string, owner: string, labels: ReadonlyMap<string, string>): string {
  if (kind === 'ReplicaSet') {
    const hash = [labels.get('pod-template-hash'), labels.get('rollouts-pod-template-hash')].find(
      (text) => text !== undefined && text !== '' && owner.endsWith(text),
    )
    return hash === undefined ? owner : removeSuffix(owner, `-${hash}`)
  }
  if (kind === 'ReplicationController' && (labels.get('deploymentconfig') ?? '') !== '')
    return labels.get('deploymentconfig') ?? owner
  if (kind === 'Job') return CRON_JOB_SUFFIX.exec(owner)?.[1] ?? owner
  return owner
}

function removeSuffix(text: string, suffix: string): string {
  return text.endsWith(suffix) ? text.slice(0, -suffix.length) : text
}
