/** The step that a namespace is at (inject, probes, egress, ingress, STRICT), and the command for the next one. */
import { REWRITE_PROBES } from '../istio/annotations.ts'
import type { Mode } from '../istio/declared-policy.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import { FINDINGS } from './finding-codes.ts'
import type { Estate } from './estate.ts'
import type { Finding } from './finding.ts'
import { restartCommand } from './topics/injection.ts'
import type { Workload } from './workload.ts'

export type Step = 'inject' | 'probes' | 'egress' | 'ingress' | 'strict' | 'done'

export interface NextStep {
  readonly step: Step
  /** One command, which names the namespace. */
  readonly next: string
}

export interface Standing {
  readonly name: string
  readonly dataplane: string
  readonly mode: Mode
  readonly verdict: 'yes' | 'no' | 'unknown'
  readonly findings: readonly Finding[]
  readonly workloads: readonly Workload[]
  readonly estate: Estate
  readonly policies: PolicyIndex
}

/**
 * | first match wins                                      | step    |
 * |-------------------------------------------------------|---------|
 * | nothing in the mesh, or pods that were never restarted | inject  |
 * | an error of area probes / egress / ingress            | that    |
 * | STRICT already, and nothing breaks                    | done    |
 * | otherwise                                             | strict  |
 */
export function nextStep(standing: Standing): NextStep {
  const { name, dataplane, mode, findings } = standing
  const missing = findings.find(({ code, object }) => code === 'sidecar-missing' && object.namespace === name)
  if (missing !== undefined) return { step: 'inject', next: restartOf(missing.object, standing) }
  if (dataplane === 'none' && isSystem(standing)) return { step: 'strict', next: explainCommand(name) }
  if (dataplane === 'none') return { step: 'inject', next: injectCommand(standing) }
  for (const step of ['probes', 'egress', 'ingress'] as const) {
    const found = findings.find(({ code, severity }) => severity === 'error' && FINDINGS[code].area === step)
    if (found !== undefined) return { step, next: commandFor(step, found, standing) }
  }
  if (mode === 'STRICT' && !findings.some(({ severity }) => severity === 'error'))
    return { step: 'done', next: `istio-onramp check -n ${name}` }
  return { step: 'strict', next: standing.verdict === 'yes' ? strictCommand(standing) : explainCommand(name) }
}

/** Istio's own namespace and those of Kubernetes are not meant for sidecars. */
function isSystem({ name, estate }: Standing): boolean {
  return name === estate.rootNamespace || name.startsWith('kube-')
}

/** Suggests the revision that other namespaces use, if they use one. A label that is there already did not help. */
function injectCommand({ name, estate }: Standing): string {
  const own = estate.inventory.namespace(name).labels
  if (own.get('istio-injection') === 'enabled' || own.has('istio.io/rev')) return explainCommand(name)
  const revisions = estate.namespaces.flatMap(({ labels }) => labels.get('istio.io/rev') ?? [])
  const isPlain =
    estate.namespaces.some(({ labels }) => labels.get('istio-injection') === 'enabled') || revisions.length === 0
  return `kubectl label namespace ${name} ${isPlain ? 'istio-injection=enabled' : `istio.io/rev=${revisions[0] ?? 'default'}`}`
}

function restartOf(object: ObjectReference, { workloads, name }: Standing): string {
  const workload = workloads.find(({ reference }) => reference.kind === object.kind && reference.name === object.name)
  return workload === undefined ? `kubectl -n ${name} rollout restart deployment` : restartCommand(workload)
}

function commandFor(step: 'probes' | 'egress' | 'ingress', found: Finding, standing: Standing): string {
  const { name } = standing
  if (step === 'ingress' && found.code === 'ingress-refused')
    return `istio-onramp convert -n ${name} | kubectl apply -f -`
  if (step === 'probes' && found.code === 'probe-fails-until-recreated') return restartOf(found.object, standing)
  const path = templatePath(found.object.kind)
  if (step !== 'probes' || path === undefined || !['probe-fails', 'hook-fails'].includes(found.code))
    return explainCommand(name)
  const annotated: JsonObject = { metadata: { annotations: { [REWRITE_PROBES]: 'true' } } }
  const patch = path.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), annotated)
  return `kubectl -n ${found.object.namespace} patch ${found.object.kind.toLowerCase()} ${found.object.name} --type=merge -p '${JSON.stringify(patch)}'`
}

function templatePath(kind: string): readonly string[] | undefined {
  if (['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)) return ['spec', 'template']
  return kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : undefined
}

function explainCommand(name: string): string {
  return `istio-onramp check -n ${name} --assume-strict ${name}`
}

/** A PeerAuthentication of a whole namespace, as kubectl applies it. */
interface PeerAuthenticationObject {
  readonly apiVersion: 'security.istio.io/v1'
  readonly kind: 'PeerAuthentication'
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: { readonly mtls: { readonly mode: Mode } }
}

/** Reuses the name of the existing policy, because Istio would ignore a second one. */
function strictCommand({ name, policies }: Standing): string {
  const known = policies.get(name)?.withoutSelector[0]?.policy.name ?? 'default'
  const policy: PeerAuthenticationObject = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: known, namespace: name },
    spec: { mtls: { mode: 'STRICT' } },
  }
  return `echo '${JSON.stringify(policy)}' | kubectl apply -f -`
}
