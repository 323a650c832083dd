/**
 * Prometheus without a mesh certificate: scrape annotations, ServiceMonitors and PodMonitors that target a STRICT port.
 */
import { MERGE_METRICS } from '../../istio/annotations.ts'
import { parseBool } from '../../istio/go-values.ts'
import { isOlderThan } from '../../istio/version.ts'
import { isPortNumber } from '../../kubernetes/handler.ts'
import { describe } from '../../kubernetes/object.ts'
import { containerPorts } from '../container-port.ts'
import { finding, type Finding } from '../finding.ts'
import type { ExposedService } from '../service.ts'
import {
  closedAmong,
  describeReception,
  namespacesInScope,
  reception,
  workloadsInScope,
  type Situation,
} from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { versionOf } from './istio-version.ts'
import { findMonitors } from './monitors.ts'

export function* findScrapers(situation: Situation): Iterable<readonly Finding[]> {
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => annotated(workload, unit, situation) ?? [])
  for (const namespace of namespacesInScope(situation))
    for (const service of situation.estate.servicesOf(namespace)) yield annotatedService(service, situation)
  yield* findMonitors(situation)
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
  const version = versionOf(mesh.sidecar, estate)
  if (!isOlderThan(version, 1, 31) && version !== undefined)
    return `Add the annotation prometheus.istio.io/scrape-targets: "${port}:${pod.annotations.get('prometheus.io/path') ?? '/metrics'}" with ${MERGE_METRICS}: "true" (Istio 1.31).`
  return `Set the annotation ${MERGE_METRICS}: "true": the agent then serves the application's metrics on port 15020.`
}

/** Merging changes the annotations of pods alone, so these scrapes break with it as well. */
function annotatedService(service: ExposedService, situation: Situation): readonly Finding[] {
  const { scrape, namespace, name, ports } = service
  if (scrape === undefined) return []
  const targets = scrape === 'every' ? ports.map(({ target }) => target) : [scrape]
  return targets.flatMap((target) => {
    const closed = closedAmong(situation.estate.selectedBy(service), target, situation)
    if (closed === undefined) return []
    return [
      finding('scrape-refused', {
        object: { apiVersion: 'v1', kind: 'Service', namespace, name },
        port: closed.port,
        message: `The annotation prometheus.io/scrape sends Prometheus to port ${closed.port} of ${describe(closed.workload.reference)}, and ${describeReception(closed.port, closed.decision)}.`,
        fix: `Put the annotations on the pods instead of the Service, so that Istio's agent serves the metrics on port 15020; or keep port ${closed.port} PERMISSIVE.`,
        scope: namespace,
      }),
    ]
  })
}
