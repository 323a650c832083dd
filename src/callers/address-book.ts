/** Who has, or had, an address: pods, those that are over too, nodes and Services. */
import { arrayMember, memberAt } from '../kubernetes/json.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import type { Estate } from '../readiness/estate.ts'
import { ownerReference, referenceKey, type Workload } from '../readiness/workload.ts'
import type { WorkloadRow } from '../readiness/workload-row.ts'

export type Resident =
  | { readonly kind: 'workload'; readonly reference: ObjectReference; readonly workload: Workload | undefined }
  | { readonly kind: 'node'; readonly name: string }
  /** Pods of several workloads had the address, or the one that has it started later. */
  | { readonly kind: 'shared' }
  | { readonly kind: 'nobody' }

export interface AddressBook {
  /** Returns who had the address throughout the span, in milliseconds since 1970; NaN for an unknown time. */
  residentOf(address: string, first: number, last: number): Resident
  /** The pods that run in each namespace. */
  readonly pods: ReadonlyMap<string, readonly RunningAt[]>
}

export interface RunningAt {
  readonly addresses: readonly string[]
  readonly hasSidecar: boolean
}

/** Clocks of nodes differ, and a line is written a moment after its connection. */
const SLACK = 60_000

interface PodEntry {
  readonly row: WorkloadRow
  readonly reference: ObjectReference
}

export function buildAddressBook(estate: Estate): AddressBook {
  const { inventory } = estate
  const pods = podsOf(inventory.list('workloads'))
  const byAddress = groupBy(
    pods
      .filter(({ row }) => !isOnHostNetwork(row))
      .flatMap((entry) => (entry.row.running?.addresses ?? []).map((address) => ({ address, entry }))),
    ({ address }) => address,
  )
  const workloads = new Map(estate.workloads.map((workload) => [referenceKey(workload.reference), workload]))
  const nodes = new Map([
    ...pods.flatMap(({ row: { running } }) =>
      running === undefined || running.hostAddress === '' ? [] : [[running.hostAddress, running.node] as const],
    ),
    ...inventory.nodes.flatMap(({ name, sources }) => sources.map((address) => [address, name] as const)),
  ])
  const asWorkload = (reference: ObjectReference): Resident => ({
    kind: 'workload',
    reference,
    workload: workloads.get(referenceKey(reference)),
  })
  return {
    residentOf(address, first, last) {
      const entries = (byAddress.get(address) ?? []).map(({ entry }) => entry)
      const [one] = entries
      if (one === undefined) return withoutPod(address)
      const keys = new Set(entries.map(({ reference }) => referenceKey(reference)))
      return keys.size > 1 || !entries.some(({ row }) => hadIt(row, first, last))
        ? { kind: 'shared' }
        : asWorkload(one.reference)
    },
    pods: new Map(
      [...groupBy(pods.filter(isRunning), ({ reference }) => reference.namespace)].map(([namespace, entries]) => [
        namespace,
        entries.map((entry) => ({ addresses: entry.row.running?.addresses ?? [], hasSidecar: hasSidecar(entry) })),
      ]),
    ),
  }

  function withoutPod(address: string): Resident {
    const node = nodes.get(address)
    if (node !== undefined) return { kind: 'node', name: node }
    const service = estate.serviceAt(address) ?? estate.serviceFromOutside(address)
    const [only, second] = service === undefined ? [] : estate.selectedBy(service)
    return only === undefined || second !== undefined ? { kind: 'nobody' } : asWorkload(only.reference)
  }
}

function podsOf(rows: readonly WorkloadRow[]): readonly PodEntry[] {
  const known = new Set(
    rows.filter(({ owner }) => owner === undefined).map(({ object }) => referenceKey(referenceTo(object))),
  )
  return rows.flatMap((row) => {
    if (row.running === undefined) return []
    const reference = row.owner === undefined ? referenceTo(row.object) : ownerReference(row, known)
    return reference === undefined ? [] : [{ row, reference }]
  })
}

function isOnHostNetwork({ object }: WorkloadRow): boolean {
  return memberAt(object, 'spec', 'hostNetwork') === true
}

function isRunning({ row: { running } }: PodEntry): boolean {
  return running?.isOver === false
}

function hasSidecar({ row: { object } }: PodEntry): boolean {
  return (['initContainers', 'containers'] as const).some((list) =>
    arrayMember(memberAt(object, 'spec'), list).some((container) => memberAt(container, 'name') === 'istio-proxy'),
  )
}

/** An unknown time is no evidence against it. */
function hadIt({ running }: WorkloadRow, first: number, last: number): boolean {
  if (running === undefined) return false
  return !(first < running.startedAt - SLACK) && !(running.isOver && last > running.endedAt + SLACK)
}
