/**
 * Prometheus without a mesh certificate: scrape annotations, ServiceMonitors and PodMonitors that target a STRICT port.
 */
import { MERGE_METRICS } from '../../istio/annotations.ts'
import { parseBool } from '../../istio/go-values.ts'
import { isPortNumber } from '../../kubernetes/handler.ts'
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { matches, parseSelector } from '../../kubernetes/label-selector.ts'
import { describe, referenceTo } from '../../kubernetes/object.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { finding, type Finding } from '../finding.ts'
import type { Estate } from '../estate.ts'
import { containerPorts, targetPort } from '../container-port.ts'
import {
  closedTarget,
  describeReception,
  namespacesInScope,
  reception,
  workloadsInScope,
  type Situation,
} from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { isOlderThan } from '../../istio/version.ts'

export function findScrapers(situation: Situation): readonly Finding[] {
  const { estate } = situation
  return [
    ...workloadsInScope(situation).flatMap((workload) =>
      workload.units.flatMap((unit) => annotated(workload, unit, situation) ?? []),
    ),
    ...estate.inventory.list('serviceMonitors').flatMap((monitor) => judgeServiceMonitor(monitor, situation)),
    ...estate.inventory.list('podMonitors').flatMap((monitor) => judgePodMonitor(monitor, situation)),
  ]
}

/** With merging, the injector points the pod's annotations at the agent, which accepts plain text. */
function annotated(workload: Workload, unit: Unit, situation: Situation): Finding | undefined {
  const { annotations } = unit.pod
  if (parseBool(annotations.get('prometheus.io/scrape') ?? '') !== true || unit.mesh.kind === 'outside')
    return undefined
  const port = Number(annotations.get('prometheus.io/port') ?? containerPorts(unit.pod)[0]?.number ?? 80)
  if (!isPortNumber(port)) return undefined
  const merges =
    parseBool(annotations.get(MERGE_METRICS) ?? '') ??
    (unit.mesh.kind === 'sidecar' && unit.mesh.sidecar.controlPlane.mergesMetrics)
  if (merges && !unit.isRunning && unit.mesh.kind === 'sidecar') return undefined
  const found = reception(unit, port, situation)
  if (found.kind !== 'closed') return undefined
  return finding('scrape-refused', {
    object: workload.reference,
    port,
    message: `The annotation prometheus.io/port sends Prometheus to port ${port} of ${describe(workload.reference)}, and ${describeReception(port, found.decision)}.`,
    fix: scrapeFix(unit, port, situation),
    scope: workload.namespace,
  })
}

function scrapeFix({ mesh, pod }: Unit, port: number, { estate }: Situation): string {
  if (mesh.kind !== 'sidecar') return `Add Prometheus to the mesh, or keep port ${port} PERMISSIVE.`
  const version = (mesh.sidecar.controlPlane.injector ?? estate.inventory.controlPlane('default').injector)?.version
  if (!isOlderThan(version, 1, 31) && version !== undefined)
    return `Add the annotation prometheus.istio.io/scrape-targets: "${port}:${pod.annotations.get('prometheus.io/path') ?? '/metrics'}" with ${MERGE_METRICS}: "true" (Istio 1.31).`
  return `Set the annotation ${MERGE_METRICS}: "true": the agent then serves the application's metrics on port 15020.`
}

function judgeServiceMonitor(monitor: JsonObject, situation: Situation): readonly Finding[] {
  const endpoints = arrayMember(member(monitor, 'spec'), 'endpoints').filter((endpoint) => !hasCertificate(endpoint))
  const selector = parseSelector(memberAt(monitor, 'spec', 'selector'))
  if (endpoints.length === 0 || isProblem(selector)) return []
  return monitoredNamespaces(monitor, situation).flatMap((namespace) =>
    situation.estate
      .servicesOf(namespace)
      .filter(({ labels }) => matches(selector, labels))
      .flatMap((service) =>
        endpoints.flatMap((endpoint): readonly Finding[] => {
          const entry = service.ports.find(({ name }) => name === stringMember(endpoint, 'port'))
          const target = member(endpoint, 'targetPort')
          for (const workload of situation.estate.selectedBy(service)) {
            const portOf = (unit: Unit) => (entry === undefined ? numberOf(target, unit) : targetPort(entry, unit))
            const closed = closedTarget(workload, portOf, situation)
            if (closed !== undefined)
              return [
                finding('service-monitor-refused', {
                  object: referenceTo(monitor),
                  port: closed.port,
                  about: `${namespace}/${service.name}`,
                  message: `It sends Prometheus to Service ${namespace}/${service.name}, and ${describeReception(closed.port, closed.decision)}.`,
                  fix: MONITOR_FIX,
                  scope: namespace,
                }),
              ]
          }
          return []
        }),
      ),
  )
}

const MONITOR_FIX =
  "Use the certificates that Prometheus' own sidecar writes to disk (scheme: https, tlsConfig.caFile, certFile and keyFile under /etc/prom-certs, insecureSkipVerify: true), or keep the metrics port PERMISSIVE."

function judgePodMonitor(monitor: JsonObject, situation: Situation): readonly Finding[] {
  const endpoints = arrayMember(member(monitor, 'spec'), 'podMetricsEndpoints').filter(
    (endpoint) => !hasCertificate(endpoint),
  )
  const selector = parseSelector(memberAt(monitor, 'spec', 'selector'))
  if (endpoints.length === 0 || isProblem(selector)) return []
  return monitoredNamespaces(monitor, situation).flatMap((namespace) =>
    situation.estate
      .workloadsOf(namespace)
      .filter(({ units }) => units.some(({ labels }) => matches(selector, labels)))
      .flatMap((workload) =>
        endpoints.flatMap((endpoint) => {
          const wanted = member(endpoint, 'port') ?? member(endpoint, 'portNumber') ?? member(endpoint, 'targetPort')
          const closed = closedTarget(workload, (unit) => numberOf(wanted, unit), situation)
          if (closed === undefined) return []
          return [
            finding('pod-monitor-refused', {
              object: referenceTo(monitor),
              port: closed.port,
              about: `${namespace}/${workload.reference.name}`,
              message: `It sends Prometheus to ${describe(workload.reference)}, and ${describeReception(closed.port, closed.decision)}.`,
              fix: MONITOR_FIX,
              scope: namespace,
            }),
          ]
        }),
      ),
  )
}

function numberOf(port: Json | undefined, { pod }: Unit): number | undefined {
  if (isPortNumber(port)) return port
  return containerPorts(pod).find(({ name }) => name === port)?.number
}

/** Whether the endpoint has a client certificate of the mesh. The sidecar refuses any other TLS. */
function hasCertificate(endpoint: Json): boolean {
  return (
    memberAt(endpoint, 'tlsConfig', 'certFile') !== undefined || memberAt(endpoint, 'tlsConfig', 'cert') !== undefined
  )
}

function monitoredNamespaces(monitor: JsonObject, situation: Situation): readonly string[] {
  const selector = memberAt(monitor, 'spec', 'namespaceSelector')
  const wanted = new Set(member(selector, 'any') === true ? allNamespaces(situation.estate) : named(selector, monitor))
  return namespacesInScope(situation).filter((namespace) => wanted.has(namespace))
}

function allNamespaces({ namespaces }: Estate): readonly string[] {
  return namespaces.map(({ name }) => name)
}

function named(selector: Json | undefined, monitor: JsonObject): readonly string[] {
  const names = arrayMember(selector, 'matchNames').filter((name) => typeof name === 'string')
  return names.length === 0 ? [referenceTo(monitor).namespace] : names
}
