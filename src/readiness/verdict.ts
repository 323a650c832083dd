/** Whether a namespace can be switched to STRICT. Each verdict assumes that only this namespace is switched. */
import { counted } from '../kubernetes/counted.ts'
import { nextStep, type NextStep, type Step } from './next-step.ts'
import { describe } from '../kubernetes/object.ts'
import type { Steps } from '../kubernetes/steps.ts'
import type { Mode } from '../istio/declared-policy.ts'
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import { assess, assumingStrict } from './assess.ts'
import type { Estate } from './estate.ts'
import type { Finding, Unknown } from './finding.ts'
import { isInMesh, situationOf } from './situation.ts'
import { unknownRoutes } from './topics/callers.ts'
import { unknownBypasses } from './topics/possible-bypass.ts'
import { findProxyBypass } from './topics/proxy-bypass.ts'
import { unknownProbes } from './topics/probes.ts'
import { unknownCounts } from './topics/counted-traffic.ts'
import { unknownControllers } from './topics/routes.ts'
import type { Workload } from './workload.ts'

export type Verdict = 'yes' | 'no' | 'unknown'

export interface NamespaceVerdict {
  readonly name: string
  /** `sidecar`, `ambient`, `none`, or two of them joined by `+`. */
  readonly dataplane: string
  /** The mode in force for the namespace as a whole. */
  readonly mode: Mode
  /** The PeerAuthentication without selector that decides for the namespace; undefined if it has none of its own. */
  readonly policy: string | undefined
  readonly verdict: Verdict
  readonly step: Step
  readonly next: string
  /** Findings that the switch would cause. */
  readonly findings: readonly Finding[]
  /** Why the verdict is unknown; a `no` may have open questions as well. */
  readonly unknown: readonly Unknown[]
}

/**
 * `policies` are those in force, with proposed changes applied. The cost over all namespaces is linear in the cluster.
 */
export function* judgeNamespaces(
  estate: Estate,
  policies: PolicyIndex,
  configuration: RuleConfiguration,
  wanted: (namespace: string) => boolean = () => true,
): Steps<readonly NamespaceVerdict[]> {
  const shared = sharedReasons(estate, policies, configuration)
  const verdicts: NamespaceVerdict[] = []
  for (const { name } of estate.namespaces)
    if (wanted(name)) {
      verdicts.push(judgeNamespace(name, { estate, policies, configuration, shared }))
      yield
    }
  return verdicts
}

interface Basis {
  readonly estate: Estate
  readonly policies: PolicyIndex
  readonly configuration: RuleConfiguration
  readonly shared: SharedReasons
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
    ...[...unknownProbes(situation).values()].map((probe): Reason => ({
      brief: 'probe rewriting is not known',
      reason: `without the injector's ConfigMap it is unknown whether Istio rewrites probes (${probe})`,
    })),
    ...[...unknownControllers(situation).values()].map((route): Reason => ({
      brief: 'an ingress may be outside',
      reason: `it is unknown whether the controller or gateway of ${route} is in the mesh`,
    })),
    ...[...unknownRoutes(situation).values()].map((call): Reason => ({
      brief: 'addresses of calls not known',
      reason: `whether calls of ${call} go through the caller's sidecar is not known: no address is given for them`,
    })),
    ...(estate.seen?.coverage(name)?.unknown ?? []).map((what): Reason => ({
      brief: 'the logs leave questions',
      reason: `it is not known ${what}`,
    })),
    ...(dataplane === 'none' ? [] : unknownCounts(name, estate.counted)).map((reason): Reason => ({
      brief: 'its metrics leave questions',
      reason,
    })),
    ...(dataplane === 'none'
      ? []
      : provesMesh(name, findings, estate)
        ? shared.others
        : [...shared.callers, ...shared.others]),
  ]
  const verdict = findings.some(({ severity }) => severity === 'error') ? 'no' : reasons.length > 0 ? 'unknown' : 'yes'
  const step: NextStep = nextStep({ name, dataplane, mode, verdict, findings, workloads, estate, policies })
  return {
    name,
    dataplane,
    mode,
    policy: policies.get(name)?.withoutSelector[0]?.policy.name,
    verdict,
    ...step,
    findings,
    unknown: reasons.map((reason) => ({ namespace: name, ...reason })),
  }
}

type Reason = Omit<Unknown, 'namespace'>

function ownReasons(workloads: readonly Workload[], dataplane: string): readonly Reason[] {
  if (workloads.length === 0)
    return [{ brief: 'it has no workloads', reason: 'it has no workloads, so there is nothing to check' }]
  if (dataplane !== 'none') return []
  const reason = 'none of its workloads is in the mesh, so STRICT would protect nothing'
  return [{ brief: 'no workload in the mesh', reason }]
}

/**
 * Access logs take the place of what is unknown about callers, if each pod of the namespace has lines, all of them with
 * mutual TLS, and nothing leads in from outside the mesh whose connections may have stayed open.
 */
function provesMesh(name: string, findings: readonly Finding[], { seen }: Estate): boolean {
  const coverage = seen?.coverage(name)
  if (seen === undefined || coverage === undefined || coverage.podsWithLines < coverage.pods) return false
  return seen.isComplete && seen.connectionsTo(name).length === 0 && !findings.some(({ code }) => WAYS_IN.test(code))
}

const WAYS_IN =
  /^(?:(?:load-balancer|node-port|external-ip|host-port|ingress|gateway|scrape|service-monitor|pod-monitor)-refused|(?:conversion-)?webhook-.*|api-service-unreachable)$/

/** What is unknown about the callers of every namespace, and what else is unknown. */
interface SharedReasons {
  readonly callers: readonly Reason[]
  readonly others: readonly Reason[]
}

/** Returns what is unknown about callers anywhere in the cluster. */
function sharedReasons(estate: Estate, policies: PolicyIndex, configuration: RuleConfiguration): SharedReasons {
  const outside = estate.workloads.filter(
    (workload) => !isInfrastructure(workload, estate) && workload.units.some((unit) => !isInMesh(unit)),
  )
  const unjudged = unknownBypasses(estate)
  const passing = [...findProxyBypass(situationOf(estate, policies, configuration))]
    .flat()
    .filter(({ code }) => code === 'outbound-bypass-possible' || code === 'interception-none')
  const bypassing = [...new Set(passing.map(({ object }) => describe(object)))]
  return {
    callers: [
      ...(outside.length === 0
        ? []
        : [
            {
              brief: 'outsiders may call it',
              reason: `${counted(outside.length, 'workload')} outside the mesh may call it, and not all of their calls are known: ${listed(outside.map(({ reference }) => describe(reference)))}`,
            },
          ]),
      ...(bypassing.length === 0
        ? []
        : [
            {
              brief: 'callers may bypass their sidecars',
              reason: `${counted(bypassing.length, 'workload')} in the mesh may call it around their own sidecar: ${listed(bypassing)}`,
            },
          ]),
      ...(unjudged.length === 0
        ? []
        : [
            {
              brief: 'no Service has an address',
              reason: `whether the sidecars of ${listed(unjudged.map(({ reference }) => describe(reference)))} see their calls to Services is not known, because no Service has an address`,
            },
          ]),
    ],
    others:
      estate.inventory.unreadKinds.length === 0
        ? []
        : [
            {
              brief: 'not every kind was read',
              reason: `these kinds could not be read: ${estate.inventory.unreadKinds.join(', ')}`,
            },
          ],
  }
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
}

/** Components of the cluster do not call applications. Calls of the API server have their own findings. */
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
