/**
 * How many connections without User-Agent or SNI kubelet and the API server make to a port, so that the rest can be
 * called callers through the node's address. In a log they look alike; the port and the period tell them apart
 * (docs/facts/access-logs.md).
 */
import { isHook } from '../kubernetes/container.ts'
import { member } from '../kubernetes/json.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { portNumber } from '../readiness/container-port.ts'
import type { Estate } from '../readiness/estate.ts'
import type { Unit, Workload } from '../readiness/workload.ts'

/** kubelet waits a little before a pod's first probe, and the log begins and ends between two. */
const EXTRA = 2
/** Connections of hooks: one when a pod starts, one when it ends, and a retry. */
const PER_HOOK = 2
/** Seconds between two checks of an APIService; each may dial five times (kube-aggregator `remote_available_controller.go`). */
const AVAILABILITY_PERIOD = 30
const AVAILABILITY_DIALS = 5

/** Returns the most connections that they make within the seconds. */
export function expectedFromNode(target: Workload, port: number, seconds: number, estate: Estate): number {
  const [unit] = target.units
  if (unit === undefined) return 0
  return ofKubelet(unit, port, seconds) + ofApiServer(target, port, seconds, estate)
}

/** Whether kubelet has a probe or hook with an HTTP or gRPC call on the port. */
export function isProbed(target: Workload, port: number): boolean {
  return target.units.some((unit) => ofKubelet(unit, port, 0) > 0)
}

function ofKubelet(unit: Unit, port: number, seconds: number): number {
  let expected = 0
  for (const container of unit.pod.containers)
    for (const { slot, handler, raw } of container.checks) {
      if (isProblem(handler) || !('port' in handler) || handler.kind === 'tcpSocket') continue
      const dialled = portNumber(handler.port, unit)
      if (dialled !== port) continue
      expected += isHook(slot) ? PER_HOOK : seconds / periodOf(member(raw, 'periodSeconds')) + EXTRA
    }
  return Math.ceil(expected)
}

/** kubelet's default is 10 seconds. */
function periodOf(period: unknown): number {
  return typeof period === 'number' && period > 0 ? period : 10
}

function ofApiServer(target: Workload, port: number, seconds: number, estate: Estate): number {
  const aggregated = estate.callbacksTo(target.namespace).filter(({ kind, service }) => {
    if (kind !== 'aggregation') return false
    const found = estate.service(service.namespace, service.name)
    return (
      found !== undefined && estate.selectedBy(found).includes(target) && leadsTo(found, service.port, port, target)
    )
  })
  return aggregated.length * Math.ceil(seconds / AVAILABILITY_PERIOD + EXTRA) * AVAILABILITY_DIALS
}

type Service = NonNullable<ReturnType<Estate['service']>>

function leadsTo(service: Service, servicePort: number, port: number, target: Workload): boolean {
  return service.ports.some(
    (entry) => entry.port === servicePort && target.units.some((unit) => portNumber(entry.target, unit) === port),
  )
}

/** Requests of kubelet that reach the sidecars of a workload's pods each second; none if Istio's agent serves them. */
export function probesPerSecond({ units, addresses }: Workload, { inventory }: Estate): number {
  const [unit] = units
  if (unit?.mesh.kind !== 'sidecar' || unit.mesh.sidecar.rewriting.state === 'on') return 0
  const ports = [inventory.controlPlane('default').statusPort]
  const each = unit.pod.containers.flatMap(({ checks }) =>
    checks.flatMap(({ slot, handler, raw }) => {
      if (isHook(slot) || isProblem(handler) || handler.kind !== 'httpGet' || ports.includes(Number(handler.port)))
        return []
      return [1 / periodOf(member(raw, 'periodSeconds'))]
    }),
  )
  return each.reduce((sum, rate) => sum + rate, 0) * Math.max(addresses.length, 1)
}
