/** ServiceMonitors and PodMonitors that send Prometheus to a STRICT port without a certificate of the mesh. */
import { isPortNumber } from '../../kubernetes/handler.ts'
import {
  arrayMember,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { matches, parseSelector, type LabelSelector } from '../../kubernetes/label-selector.ts'
import { describe, referenceTo, type ObjectReference } from '../../kubernetes/object.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { isOlderThan } from '../../istio/version.ts'
import { finding, type Finding } from '../finding.ts'
import type { Estate } from '../estate.ts'
import {
  closedAmong,
  closedTarget,
  describeReception,
  namespacesInScope,
  type ClosedTarget,
  type Situation,
} from '../situation.ts'
import { versionOf } from './istio-version.ts'

export function* findMonitors(situation: Situation): Iterable<readonly Finding[]> {
  const monitors = monitorsOf(situation.estate)
  for (const namespace of namespacesInScope(situation))
    for (const monitor of [...(monitors.get(namespace) ?? []), ...(monitors.get(ANY) ?? [])])
      yield monitor.kind === 'ServiceMonitor'
        ? judgeServiceMonitor(monitor, namespace, situation)
        : judgePodMonitor(monitor, namespace, situation)
}

/** A ServiceMonitor or PodMonitor with endpoints that are scraped without a certificate of the mesh. */
interface Monitor {
  readonly kind: string
  readonly reference: ObjectReference
  readonly selector: LabelSelector
  readonly matchLabels: ReadonlyMap<string, string>
  readonly endpoints: readonly Json[]
}

const MONITORS = new WeakMap<Estate, ReadonlyMap<string, readonly Monitor[]>>()
/** The key of monitors of all namespaces; no namespace has this name. */
const ANY = '*'

/** Returns the monitors by the namespaces that they look in. */
function monitorsOf(estate: Estate): ReadonlyMap<string, readonly Monitor[]> {
  const known = MONITORS.get(estate)
  if (known !== undefined) return known
  const { inventory } = estate
  const read = [
    ...inventory.list('serviceMonitors').flatMap((object) => readMonitor(object, 'endpoints')),
    ...inventory.list('podMonitors').flatMap((object) => readMonitor(object, 'podMetricsEndpoints')),
  ]
  const pairs = read.flatMap(({ namespaces, monitor }) => namespaces.map((namespace) => ({ namespace, monitor })))
  const grouped = groupBy(pairs, ({ namespace }) => namespace)
  const monitors = new Map([...grouped].map(([namespace, group]) => [namespace, group.map(({ monitor }) => monitor)]))
  MONITORS.set(estate, monitors)
  return monitors
}

function readMonitor(object: JsonObject, list: 'endpoints' | 'podMetricsEndpoints') {
  const endpoints = arrayMember(member(object, 'spec'), list).filter((endpoint) => !hasCertificate(endpoint))
  const selector = parseSelector(memberAt(object, 'spec', 'selector'))
  if (endpoints.length === 0 || isProblem(selector)) return []
  const reference = referenceTo(object)
  const matchLabels = stringMap(memberAt(object, 'spec', 'selector', 'matchLabels'))
  const monitor: Monitor = { kind: reference.kind, reference, selector, matchLabels, endpoints }
  return [{ namespaces: namespacesOf(object), monitor }]
}

function namespacesOf(monitor: JsonObject): readonly string[] {
  const selector = memberAt(monitor, 'spec', 'namespaceSelector')
  if (member(selector, 'any') === true) return [ANY]
  const names = new Set(arrayMember(selector, 'matchNames').filter((name) => typeof name === 'string'))
  return names.size === 0 ? [referenceTo(monitor).namespace] : [...names]
}

function judgeServiceMonitor(monitor: Monitor, namespace: string, situation: Situation): readonly Finding[] {
  const { estate } = situation
  return estate
    .servicesOf(namespace)
    .filter(({ labels }) => matches(monitor.selector, labels))
    .flatMap((service) =>
      monitor.endpoints.flatMap((endpoint) => {
        const entry = service.ports.find(({ name }) => name === stringMember(endpoint, 'port'))
        const target = entry?.target ?? asPort(member(endpoint, 'targetPort'))
        const closed = target === undefined ? undefined : closedAmong(estate.selectedBy(service), target, situation)
        if (closed === undefined) return []
        return [
          finding('service-monitor-refused', {
            object: monitor.reference,
            port: closed.port,
            about: `${namespace}/${service.name}`,
            message: `It sends Prometheus to Service ${namespace}/${service.name}, and ${describeReception(closed.port, closed.decision)}.`,
            fix: monitorFix(closed, situation),
            scope: namespace,
          }),
        ]
      }),
    )
}

const MONITOR_FIX =
  "Use the certificates that Prometheus' own sidecar writes to disk (scheme: https, tlsConfig.caFile, certFile and keyFile under /etc/prom-certs, insecureSkipVerify: true), or keep the metrics port PERMISSIVE."

/** The smallest fix of the installed release; of an unknown one, what all of them can do. */
function monitorFix({ workload: { units }, port }: ClosedTarget, { estate }: Situation): string {
  const [mesh] = units.map((unit) => unit.mesh)
  const version = mesh?.kind === 'sidecar' ? versionOf(mesh.sidecar, estate) : undefined
  if (version === undefined || isOlderThan(version, 1, 31)) return MONITOR_FIX
  return `Let the agent serve port ${port} as well (pod annotation prometheus.istio.io/scrape-targets: "${port}:/metrics") and scrape port 15020, or scrape with mutual TLS the port that ENVOY_SECURE_MERGED_METRICS_PORT sets (both since Istio 1.31). ${MONITOR_FIX}`
}

function judgePodMonitor(monitor: Monitor, namespace: string, situation: Situation): readonly Finding[] {
  const { estate } = situation
  const candidates =
    monitor.matchLabels.size > 0 ? estate.workloadsWith(namespace, monitor.matchLabels) : estate.workloadsOf(namespace)
  return candidates
    .filter(({ units }) => units.some(({ labels }) => matches(monitor.selector, labels)))
    .flatMap((workload) =>
      monitor.endpoints.flatMap((endpoint) => {
        const port = asPort(
          member(endpoint, 'port') ?? member(endpoint, 'portNumber') ?? member(endpoint, 'targetPort'),
        )
        const closed = port === undefined ? undefined : closedTarget(workload, port, situation)
        if (closed === undefined) return []
        return [
          finding('pod-monitor-refused', {
            object: monitor.reference,
            port: closed.port,
            about: `${namespace}/${workload.reference.name}`,
            message: `It sends Prometheus to ${describe(workload.reference)}, and ${describeReception(closed.port, closed.decision)}.`,
            fix: monitorFix(closed, situation),
            scope: namespace,
          }),
        ]
      }),
    )
}

/** A port by number or by name. */
function asPort(port: Json | undefined): number | string | undefined {
  return isPortNumber(port) || typeof port === 'string' ? port : undefined
}

/** Whether the endpoint has a client certificate of the mesh. The sidecar refuses any other TLS. */
function hasCertificate(endpoint: Json): boolean {
  return (
    memberAt(endpoint, 'tlsConfig', 'certFile') !== undefined || memberAt(endpoint, 'tlsConfig', 'cert') !== undefined
  )
}
