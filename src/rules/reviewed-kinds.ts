/** The kinds that the rules know. A kind of another API group may have the same name, as Knative's Ingress does. */
import { ownEntry } from '../kubernetes/json.ts'

/** The groups of the kinds that the chart's webhook configurations select. */
const REVIEWED: Readonly<Record<string, readonly string[]>> = {
  Pod: [''],
  ReplicationController: [''],
  Deployment: ['apps', 'extensions'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps', 'extensions'],
  ReplicaSet: ['apps', 'extensions'],
  Job: ['batch'],
  CronJob: ['batch'],
  Ingress: ['networking.k8s.io', 'extensions'],
  PeerAuthentication: ['security.istio.io'],
}

export function isReviewedKind(group: string, kind: string): boolean {
  return ownEntry(REVIEWED, kind)?.includes(group) === true
}

/** Whether a reviewed kind has this name, in whichever group. */
export function isNameOfReviewedKind(kind: string): boolean {
  return Object.hasOwn(REVIEWED, kind)
}
