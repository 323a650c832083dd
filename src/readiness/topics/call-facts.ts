/** What a declared call reaches: the pods' port, whether it refuses plain text, and the addresses that are dialled. */
import { describe } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { callerOf } from '../finding.ts'
import { containerPorts, portNumber } from '../container-port.ts'
import { isAddress } from '../../kubernetes/address-ranges.ts'
import { closedAmong, closedTarget, describeReception, type ClosedTarget, type Situation } from '../situation.ts'
import type { Unit } from '../workload.ts'

/** Returns the STRICT port that refuses a plain-text call, and why; undefined if no port does. */
export function closedByCall(
  call: Call,
  situation: Situation,
): { readonly port: number; readonly why: string } | undefined {
  const closed = targetOf(call, situation)
  if (closed === undefined) return undefined
  const { port, decision, workload } = closed
  return { port, why: `${describeReception(port, decision)} (${describe(workload.reference)})` }
}

function targetOf(call: Call, situation: Situation): ClosedTarget | undefined {
  const { workloads, service } = call.target
  const dialled = dialledTarget(call)
  if (dialled !== undefined) return closedAmong(workloads, dialled, situation)
  if (call.by !== 'pod-ip' && service === undefined) return undefined
  for (const workload of workloads) {
    const port = firstPort(workload.units[0])
    const closed = port === undefined ? undefined : closedTarget(workload, port, situation)
    if (closed !== undefined) return closed
  }
  return undefined
}

/** The pods' port by number or by name; undefined if the call gives none, and the Service has none for it. */
function dialledTarget({ target: { servicePort }, port, by }: Call): number | string | undefined {
  return by === 'pod-ip' ? port : (servicePort?.target ?? port)
}

/** Returns the port of the pod that the call reaches; undefined if the pod has none of that name. */
export function dialledPort(call: Call, unit: Unit): number | undefined {
  const dialled = dialledTarget(call)
  return dialled === undefined ? firstPort(unit) : portNumber(dialled, unit)
}

function firstPort(unit: Unit | undefined): number | undefined {
  return unit && containerPorts(unit.pod)[0]?.number
}

/** Returns the dialled addresses: the ClusterIPs, or the pod addresses of a headless Service. Empty if unknown. */
export function addressesOf({ by, host, target }: Pick<Call, 'by' | 'host' | 'target'>): readonly string[] {
  if (by === 'cluster-ip') return [host]
  if (by === 'pod-ip' && isAddress(host)) return [host]
  if (target.service?.isHeadless === true) return target.workloads.flatMap(({ addresses }) => addresses)
  return target.service?.clusterIPs ?? []
}

/** The fields that every finding about a call has. */
export function common(call: Call, port: number) {
  const { reference } = call.caller
  return {
    object: reference,
    container: call.container,
    port,
    about: call.host,
    callers: [callerOf(reference)],
    scope: call.target.namespace,
  }
}

export function destination({ host, port }: Call): string {
  return port === undefined ? host : `${host}:${port}`
}
