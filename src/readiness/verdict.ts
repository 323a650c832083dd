/** May this namespace be STRICT? Worked out for each as though it alone were switched. */
import { nextStep, type NextStep, type Step } from './next-step.ts'
import { describe } from '../kubernetes/object.ts'
import type { Mode } from '../istio/declared-policy.ts'
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import { assess, assumingStrict } from './assess.ts'
import type { Estate } from './estate.ts'
import type { Finding, Unknown } from './finding.ts'
import { isInMesh, situationOf } from './situation.ts'
import { findProxyBypass } from './topics/proxy-bypass.ts'
import { unknownProbes } from './topics/probes.ts'
import { unknownControllers } from './topics/routes.ts'
import type { Workload } from './workload.ts'

export type Verdict = 'yes' | 'no' | 'unknown'

export interface NamespaceVerdict {
  readonly name: string
  /** `sidecar`, `ambient`, `none`, or two of them joined by `+`. */
  readonly dataplane: string
  /** Of the namespace as a whole, in force. */
  readonly mode: Mode
  readonly verdict: Verdict
  readonly step: Step
  readonly next: string
  /** What would break. */
  readonly findings: readonly Finding[]
  /** Why the verdict is unknown; also what is not known beside a `no`. */
  readonly unknown: readonly Unknown[]
}

/** `policies`: those in force, changes laid over. The cost over all namespaces is linear in the cluster. */
export function judgeNamespaces(
  estate: Estate,
  policies: PolicyIndex,
  configuration: RuleConfiguration,
  wanted: (namespace: string) => boolean = () => true,
): readonly NamespaceVerdict[] {
  const shared = sharedReasons(estate, policies, configuration)
  return estate.namespaces
    .filter(({ name }) => wanted(name))
    .map(({ name }) => judgeNamespace(name, { estate, policies, configuration, shared }))
}

interface Basis {
  readonly estate: Estate
  readonly policies: PolicyIndex
  readonly configuration: RuleConfiguration
  readonly shared: readonly string[]
}

function judgeNamespace(name: string, basis: Basis): NamespaceVerdict {
  const { estate, policies, configuration, shared } = basis
  const situation = situationOf(estate, assumingStrict(policies, name), configuration, name)
  const findings = assess(situation)
  const workloads = estate.workloadsOf(name)
  const dataplane = dataplaneOf(workloads, name, estate)
  const mode = modeOf(name, estate, policies)
  const reasons = [
    ...ownReasons(workloads, dataplane),
    ...[...unknownProbes(situation).values()].map(
      (probe) => `whether Istio rewrites probes is not known without the injector's ConfigMap (${probe})`,
    ),
    ...[...unknownControllers(situation).values()].map(
      (route) => `whether what serves ${route} is in the mesh is not known`,
    ),
    ...(dataplane === 'none' ? [] : shared),
  ]
  const verdict = findings.some(({ severity }) => severity === 'error') ? 'no' : reasons.length > 0 ? 'unknown' : 'yes'
  const step: NextStep = nextStep({ name, dataplane, mode, verdict, findings, workloads, estate, policies })
  return {
    name,
    dataplane,
    mode,
    verdict,
    ...step,
    findings,
    unknown: reasons.map((reason) => ({ namespace: name, reason })),
  }
}

function ownReasons(workloads: readonly Workload[], dataplane: string): readonly string[] {
  if (workloads.length === 0) return ['it holds no workloads, so there is nothing to judge']
  return dataplane === 'none' ? ['none of its workloads is in the mesh, so STRICT would protect nothing'] : []
}

/** What is not known of callers anywhere in the cluster. */
function sharedReasons(estate: Estate, policies: PolicyIndex, configuration: RuleConfiguration): readonly string[] {
  const outside = estate.workloads.filter(
    (workload) => !isInfrastructure(workload, estate) && workload.units.some((unit) => !isInMesh(unit)),
  )
  const bypassing = findProxyBypass(situationOf(estate, policies, configuration)).filter(
    ({ code }) => code === 'outbound-bypass-possible' || code === 'interception-none',
  )
  return [
    ...(outside.length === 0
      ? []
      : [
          `${count(outside.length, 'workload')} outside the mesh may call it, and what they call is not known in full: ${listed(outside.map(({ reference }) => describe(reference)))}`,
        ]),
    ...(bypassing.length === 0
      ? []
      : [
          `${count(bypassing.length, 'workload')} in the mesh may call it past the own sidecar: ${listed(bypassing.map(({ object }) => describe(object)))}`,
        ]),
    ...(estate.inventory.unreadKinds.length === 0
      ? []
      : [`these kinds could not be read: ${estate.inventory.unreadKinds.join(', ')}`]),
  ]
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
}

/** The cluster's own parts call no application: what the API server calls is judged by itself. */
const SYSTEM =
  /^(?:coredns|kube-dns|kube-proxy|kube-apiserver|kube-controller-manager|kube-scheduler|etcd|kindnet|cilium|calico-node|aws-node|azure-cni|local-path-provisioner|istiod|istio-cni-node|ztunnel|istio-onramp)(?:-|$)/

function isInfrastructure({ reference: { name, namespace }, units }: Workload, { rootNamespace }: Estate): boolean {
  if (SYSTEM.test(name) && (namespace === 'kube-system' || namespace === rootNamespace || name.startsWith('istio')))
    return true
  return units.every(
    ({ labels }) =>
      labels.get('app') === 'istiod' ||
      labels.get('istio') === 'pilot' ||
      labels.get('app.kubernetes.io/name') === 'istio-onramp',
  )
}

function dataplaneOf(workloads: readonly Workload[], name: string, { inventory }: Estate): string {
  const kinds = new Set(workloads.flatMap(({ units }) => units.map(({ mesh }) => mesh.kind)))
  const found = (['sidecar', 'ambient'] as const).filter((kind) => kinds.has(kind))
  if (found.length > 0) return found.join('+')
  if (workloads.length > 0) return 'none'
  const { labels } = inventory.namespace(name)
  if (labels.get('istio.io/dataplane-mode') === 'ambient') return 'ambient'
  return labels.get('istio-injection') === 'enabled' || (labels.has('istio.io/rev') && !labels.has('istio-injection'))
    ? 'sidecar'
    : 'none'
}

function modeOf(name: string, { rootNamespace }: Estate, policies: PolicyIndex): Mode {
  for (const namespace of name === rootNamespace ? [name] : [name, rootNamespace]) {
    const mode = policies.get(namespace)?.withoutSelector[0]?.policy.mode
    if (mode !== undefined && mode !== 'UNSET') return mode
  }
  return 'PERMISSIVE'
}
