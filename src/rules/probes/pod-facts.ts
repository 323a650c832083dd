/** What is known of the pod before any of its probes is looked at. Has no opinion. */
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { describe } from '../../kubernetes/object.ts'
import { arrayMember, memberAt, stringMember, type Json } from '../../kubernetes/json.ts'
import { isAmbient } from '../../istio/ambient.ts'
import { workloadModes, type WorkloadIdentity, type WorkloadModes } from '../../istio/peer-authentication.ts'
import { decideSidecar, type PresentSidecar, type Sidecar } from '../../istio/sidecar.ts'
import { PROBES_VALUES, type ProbesSetting } from '../configuration.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting } from '../setting.ts'
import { readProbePorts, type ProbePorts } from './probe-port.ts'
import { isProberNameTaken } from './prober-names.ts'
import { workloadNameOf } from './workload-name.ts'

export interface PodFacts {
  readonly template: PodTemplate
  readonly sidecar: Sidecar
  readonly isAmbient: boolean
  /** The modes in force; undefined without a sidecar. */
  readonly modes: WorkloadModes | undefined
  /** The modes as though the namespace were STRICT; the same as `modes` unless it asks for that. */
  readonly preparedModes: WorkloadModes | undefined
  readonly setting: ProbesSetting
  readonly probePorts: ProbePorts
  readonly isWindows: boolean
  /** Something else in the pod has the name of the prober's volume or container. */
  readonly isProberNameTaken: boolean
  readonly isExempt: boolean
  readonly warnings: readonly string[]
}

const PROBES = 'istio-onramp.io/probes'
const PREPARE_STRICT = 'istio-onramp.io/prepare-strict'

export function readPodFacts(
  request: WriteRequest,
  template: PodTemplate,
  { mesh, configuration }: RuleContext,
): PodFacts {
  const { namespace } = request.reference
  const owner = { owner: describe(request.reference), annotations: template.annotations }
  const space = mesh.namespace(namespace)
  const spaceOwner = { owner: `namespace ${namespace}`, annotations: space.annotations }
  const setting = readSetting(PROBES, PROBES_VALUES, configuration.probes, [owner, spaceOwner])
  const prepared = readSetting(PREPARE_STRICT, ['true', 'false'], 'false', [spaceOwner])
  const probePorts = readProbePorts(owner)
  const sidecar = decideSidecar({ namespace, template, workloadName: workloadNameOf(request.object) }, mesh)
  const identity = sidecar.state === 'present' ? identityOf(namespace, sidecar) : undefined
  const modes = identity && workloadModes(mesh.policies, identity)
  return {
    template,
    sidecar,
    isAmbient: isAmbient(podIdentity(namespace, template), space.labels, sidecar.state === 'present'),
    modes,
    preparedModes: identity && prepared.value === 'true' ? workloadModes(mesh.policies, identity, true) : modes,
    setting: setting.value,
    probePorts,
    isWindows: isWindows(template),
    isProberNameTaken: isProberNameTaken(template),
    isExempt: configuration.exemptNamespaces.includes(namespace),
    warnings: [...setting.warnings, ...prepared.warnings, ...probePorts.warnings],
  }
}

function identityOf(namespace: string, { controlPlane, labels }: PresentSidecar): WorkloadIdentity {
  return { namespace, labels, revision: controlPlane.revision, rootNamespace: controlPlane.rootNamespace }
}

function podIdentity(namespace: string, { labels, annotations, spec }: PodTemplate) {
  return { namespace, labels, annotations, hostNetwork: spec['hostNetwork'] === true }
}

/** By what the pod says of itself, and by where alone it may run: each term of its affinity is a choice. */
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
