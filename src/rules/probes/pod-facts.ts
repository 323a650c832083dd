/** The facts about a pod, read before any of its probes. */
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { describe } from '../../kubernetes/object.ts'
import { arrayMember, memberAt, stringMember, type Json } from '../../kubernetes/json.ts'
import { isAmbient } from '../../istio/ambient.ts'
import { DATAPLANE_MODE, REWRITE_PROBES } from '../../istio/annotations.ts'
import type { InjectionSubject } from '../../istio/injection-call.ts'
import type { Mesh } from '../../istio/mesh.ts'
import { workloadModes, type WorkloadModes } from '../../istio/peer-authentication.ts'
import { decideSidecar, type PresentSidecar, type Sidecar } from '../../istio/sidecar.ts'
import { workloadNameOf } from '../../istio/workload-name.ts'
import { PROBES_VALUES, type ProbesSetting } from '../configuration.ts'
import type { Reason } from '../reasons.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting } from '../setting.ts'
import { readProbePorts, type ProbePorts } from './probe-port.ts'
import { isProberNameTaken } from './prober-names.ts'

/** The facts that hold inside and outside of the mesh. */
interface OwnFacts {
  readonly template: PodTemplate
  readonly setting: ProbesSetting
  readonly probePorts: ProbePorts
  readonly isWindows: boolean
  /** The pod already uses the name of the prober's volume or container. */
  readonly isProberNameTaken: boolean
  /** Warnings about refused settings, one line each. */
  readonly warnings: readonly string[]
}

/** No probe of the pod is changed: it gets no sidecar, or it is exempt. */
export interface PodOutside {
  readonly mesh: 'outside'
  readonly own: OwnFacts
  readonly reason: Reason
  readonly evidence: string
}

export interface PodInside {
  readonly mesh: 'inside'
  readonly own: OwnFacts
  readonly sidecar: PresentSidecar
  /** The modes in force. */
  readonly modes: WorkloadModes
  /** The modes as if the namespace were STRICT; the same as `modes` unless the namespace asks for that. */
  readonly prepared: WorkloadModes
  /** The pod's own annotation that enables or disables Istio's probe rewriting. */
  readonly rewriteAnnotation: string | undefined
  /** The sidecar if the pod asked Istio to rewrite its probes; undefined if asking is too late or has no effect. */
  readonly ifRewritten: PresentSidecar | undefined
}

export type PodFacts = PodOutside | PodInside

const PROBES = 'istio-onramp.io/probes'
const PREPARE_STRICT = 'istio-onramp.io/prepare-strict'

export function readPodFacts(request: WriteRequest, template: PodTemplate, context: RuleContext): PodFacts {
  const { mesh, configuration } = context
  const { namespace } = request.reference
  const owner = { owner: describe(request.reference), annotations: template.annotations }
  const spaceOwner = { owner: `namespace ${namespace}`, annotations: mesh.namespace(namespace).annotations }
  const setting = readSetting(PROBES, PROBES_VALUES, configuration.probes, [owner, spaceOwner])
  const prepared = readSetting(PREPARE_STRICT, ['true', 'false'], 'false', [spaceOwner])
  const probePorts = readProbePorts(owner, template)
  const own: OwnFacts = {
    template,
    setting: setting.value,
    probePorts,
    isWindows: isWindows(template),
    isProberNameTaken: isProberNameTaken(template),
    warnings: [...setting.warnings, ...prepared.warnings, ...probePorts.warnings],
  }
  const subject = { namespace, template, workloadName: workloadNameOf(request.object) }
  const sidecar = decideSidecar(subject, mesh)
  const exemption = exemptionOf(namespace, setting.value, context) ?? absence(subject, sidecar, mesh)
  if (exemption !== undefined) return { mesh: 'outside', own, reason: exemption.reason, evidence: exemption.evidence }
  if (sidecar.state !== 'present') return { mesh: 'outside', own, reason: 'no-sidecar', evidence: sidecar.evidence }
  return insideFacts(own, subject, sidecar, prepared.value === 'true', mesh)
}

type Exemption = Pick<PodOutside, 'reason' | 'evidence'> | undefined

function exemptionOf(namespace: string, setting: ProbesSetting, { configuration }: RuleContext): Exemption {
  if (configuration.exemptNamespaces.includes(namespace))
    return { reason: 'exempt-namespace', evidence: 'exemptNamespaces' }
  return setting === 'off' ? { reason: 'off', evidence: PROBES } : undefined
}

function absence({ namespace, template }: InjectionSubject, sidecar: Sidecar, mesh: Mesh): Exemption {
  const { labels, annotations, spec } = template
  const pod = { namespace, labels, annotations, hostNetwork: spec['hostNetwork'] === true }
  if (isAmbient(pod, mesh.namespace(namespace).labels, sidecar.state === 'present'))
    return { reason: 'ambient', evidence: `${DATAPLANE_MODE}: ambient` }
  if (sidecar.state === 'refused') return { reason: 'istio-refuses-pod', evidence: sidecar.evidence }
  return sidecar.state === 'absent' ? { reason: 'no-sidecar', evidence: sidecar.evidence } : undefined
}

function insideFacts(
  own: OwnFacts,
  subject: InjectionSubject,
  sidecar: PresentSidecar,
  isPrepared: boolean,
  mesh: Mesh,
): PodInside {
  const { controlPlane, labels } = sidecar
  const { revision, rootNamespace } = controlPlane
  const workload = { namespace: subject.namespace, labels, revision, rootNamespace }
  const modes = workloadModes(mesh.policies, workload)
  return {
    mesh: 'inside',
    own,
    sidecar,
    modes,
    prepared: isPrepared ? workloadModes(mesh.policies, workload, true) : modes,
    rewriteAnnotation: subject.template.annotations.get(REWRITE_PROBES),
    ifRewritten: ifRewritten(subject, sidecar, mesh),
  }
}

/** Istio reads the annotation once, when it injects the pod. On a pod with a sidecar it has no effect. */
function ifRewritten(subject: InjectionSubject, sidecar: PresentSidecar, mesh: Mesh): PresentSidecar | undefined {
  if (sidecar.rewriting.state === 'on' || !sidecar.isInjected || sidecar.isCarried) return undefined
  const annotations = new Map(subject.template.annotations).set(REWRITE_PROBES, 'true')
  const asked = decideSidecar({ ...subject, template: { ...subject.template, annotations } }, mesh)
  return asked.state === 'present' && asked.rewriting.state === 'on' ? asked : undefined
}

/**
 * The pod declares Windows, or can only run on Windows nodes. Its affinity terms are alternatives, so each one must
 * require it.
 */
function isWindows({ spec }: PodTemplate): boolean {
  const selected = memberAt(spec, 'nodeSelector', OS_LABEL)
  const required = memberAt(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  const terms = arrayMember(required, 'nodeSelectorTerms')
  return (
    stringMember(spec['os'], 'name') === 'windows' ||
    selected === 'windows' ||
    (terms.length > 0 && terms.every((term) => arrayMember(term, 'matchExpressions').some(asksForWindows)))
  )
}

const OS_LABEL = 'kubernetes.io/os'

function asksForWindows(expression: Json): boolean {
  const values = arrayMember(expression, 'values')
  return (
    stringMember(expression, 'key') === OS_LABEL &&
    stringMember(expression, 'operator') === 'In' &&
    values.length > 0 &&
    values.every((value) => value === 'windows')
  )
}
