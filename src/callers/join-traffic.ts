/**
 * Joins what access logs show with the cluster: which workload was called by which. kubelet, the API server and the proxy
 * itself are not callers.
 */
import { counted } from '../kubernetes/counted.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import type { Estate } from '../readiness/estate.ts'
import type { LogCoverage, SeenCaller, SeenConnection, SeenTraffic } from '../readiness/seen-traffic.ts'
import { referenceKey, type Workload } from '../readiness/workload.ts'
import { buildAddressBook, type AddressBook, type Resident, type RunningAt } from './address-book.ts'
import { expectedFromNode, isProbed } from './kubelet-share.ts'
import type { Flow, Tallied } from './tally.ts'

export interface JoinedTraffic {
  readonly seen: SeenTraffic
  /** Called addresses that no pod of the cluster has, `10.1.0.9:8080`, with their connections. */
  readonly unknownPods: ReadonlyMap<string, number>
}

/** `isReadable`: no line of the logs was unreadable. */
export function joinTraffic({ flows, pods }: Tallied, isReadable: boolean, estate: Estate): JoinedTraffic {
  const book = buildAddressBook(estate)
  const unknownPods = new Map<string, number>()
  const arrived = flows.flatMap((flow): readonly Arrived[] => {
    const target = book.residentOf(flow.local, flow.first, flow.last)
    if (target.kind === 'workload' && target.workload !== undefined) return [{ flow, target: target.workload }]
    const key = `${flow.local}:${flow.port}`
    unknownPods.set(key, (unknownPods.get(key) ?? 0) + flow.lines)
    return []
  })
  const kubelets = addressesOfKubelets(arrived, book)
  const made = arrived.flatMap((one) => callOf(one, kubelets, book, estate) ?? [])
  const connections = merged(made)
  const byNamespace = groupBy(connections, ({ target }) => target.namespace)
  const coverages = coverageByNamespace(book, pods, made)
  return {
    unknownPods,
    seen: {
      connectionsTo: (namespace) => byNamespace.get(namespace) ?? [],
      coverage: (namespace) => coverages.get(namespace),
      isComplete: isReadable && unknownPods.size === 0,
      namespaces: [...coverages.keys()].toSorted(),
      end: Math.max(
        ...[...pods.values()].map(({ last }) => last).filter((last) => !Number.isNaN(last)),
        Number.NEGATIVE_INFINITY,
      ),
    },
  }
}

interface Arrived {
  readonly flow: Flow
  readonly target: Workload
}

/** Addresses of a node's network that no object names: kubelet probes from them, where the pod has such a probe. */
function addressesOfKubelets(arrived: readonly Arrived[], book: AddressBook): ReadonlySet<string> {
  return new Set(
    arrived.flatMap(({ flow, target }) => {
      if (flow.agent === '' || flow.isForwarded || !isProbed(target, flow.port)) return []
      return book.residentOf(flow.remote, flow.first, flow.last).kind === 'nobody' ? [flow.remote] : []
    }),
  )
}

interface Call extends SeenConnection {
  /** Why it is unknown whether this was plain text, or who called; undefined if both are known. */
  readonly unknown: string | undefined
}

function callOf(
  { flow, target }: Arrived,
  kubelets: ReadonlySet<string>,
  book: AddressBook,
  estate: Estate,
): Call | undefined {
  const resident = flow.isForwarded ? FORWARDED : residentOf(flow, kubelets, book)
  if (isOfApiServer(flow, target, estate)) return undefined
  if (resident.kind === 'node' && flow.agent !== '') return undefined
  const lines = resident.kind === 'node' ? flow.lines - shareOfNode(flow, target, estate) : flow.lines
  if (lines <= 0) return undefined
  const connections = resident.kind === 'node' && !flow.isRequest ? lines : flow.connections
  const caller = callerOf(resident, flow)
  const call = {
    caller,
    target,
    port: flow.port,
    connections,
    requests: flow.isRequest ? lines : 0,
    last: flow.last,
    unknown: undefined,
  }
  if (flow.security === 'unknown')
    return { ...call, unknown: 'the access log format does not say whether connections were mutual TLS' }
  if (caller.kind === 'workload' && caller.workload?.units.every(({ mesh }) => mesh.kind === 'ambient') === true)
    return { ...call, unknown: `whether calls of ${nameOf(caller)}, which is in ambient mode, arrive with mutual TLS` }
  if (caller.kind === 'address' && caller.why === 'shared')
    return {
      ...call,
      unknown: `who called ${pathTo(call)} from ${caller.address}: pods of several workloads had this address one after the other (${counted(lines, 'connection')})`,
    }
  if (caller.kind === 'address' && caller.why === 'forwarded')
    return {
      ...call,
      unknown: `which proxy forwarded ${counted(flow.lines, 'request')} to ${pathTo(call)} for ${caller.address}`,
    }
  return call
}

const FORWARDED: Resident = { kind: 'nobody' }

function residentOf(flow: Flow, kubelets: ReadonlySet<string>, book: AddressBook): Resident {
  const found = book.residentOf(flow.remote, flow.first, flow.last)
  return found.kind === 'nobody' && kubelets.has(flow.remote) ? { kind: 'node', name: '' } : found
}

/** The API server names the Service of a webhook or of an aggregated API as SNI. */
function isOfApiServer({ serverName }: Flow, { namespace }: Workload, estate: Estate): boolean {
  if (serverName === '') return false
  const [service = '', space = ''] = serverName.split('.')
  return space === namespace && estate.callbacksTo(namespace).some((callback) => callback.service.name === service)
}

/** Twice what is expected: intervals vary, and a container that restarts is probed again. */
function shareOfNode({ first, last, isRequest, serverName, port }: Flow, target: Workload, estate: Estate): number {
  if (isRequest || serverName !== '') return 0
  const seconds = Number.isNaN(first) ? 0 : (last - first) / 1000
  const expected = expectedFromNode(target, port, seconds, estate)
  return Number.isNaN(first) && expected > 0 ? Number.POSITIVE_INFINITY : Math.ceil(expected * 1.2)
}

function callerOf(resident: Resident, { remote, isForwarded }: Flow): SeenCaller {
  if (resident.kind === 'workload') return resident
  if (resident.kind === 'node') return { kind: 'node', name: resident.name, address: remote }
  const why = isForwarded ? 'forwarded' : resident.kind === 'shared' ? 'shared' : 'outside'
  return { kind: 'address', address: remote, others: 0, why }
}

function nameOf({ reference: { kind, namespace, name } }: Extract<SeenCaller, { kind: 'workload' }>): string {
  return `${kind} ${namespace}/${name}`
}

function pathTo({ target, port }: Pick<SeenConnection, 'target' | 'port'>): string {
  return `${target.namespace}/${target.reference.name}:${port}`
}

/** Callers from outside the cluster that are named one by one; the rest is counted. */
const MOST_ADDRESSES = 5

/** One connection for each caller and port. Workloads never count as their own callers. */
function merged(calls: readonly Call[]): readonly SeenConnection[] {
  const known = calls.filter(
    ({ caller, target }) =>
      caller.kind !== 'workload' || referenceKey(caller.reference) !== referenceKey(target.reference),
  )
  const sums = new Map<string, SeenConnection>()
  for (const call of known.filter(isPlain)) {
    const key = `${keyOf(call.caller)} ${pathTo(call)}`
    const sum = sums.get(key)
    sums.set(key, sum === undefined ? call : add(sum, call))
  }
  const rest = [...sums.values()].filter(({ caller }) => caller.kind !== 'address')
  const addresses = [...sums.values()].filter(({ caller }) => caller.kind === 'address')
  return [...rest, ...[...groupBy(addresses, (one) => `${pathTo(one)} ${whyOf(one.caller)}`).values()].flatMap(fewest)]
}

/** A call of which it is unknown whether it was plain text is not one of a plain-text caller. */
function isPlain({ unknown, caller }: Call): boolean {
  return unknown === undefined || caller.kind === 'address'
}

function keyOf(caller: SeenCaller): string {
  if (caller.kind === 'workload') return referenceKey(caller.reference)
  return caller.kind === 'node' ? `Node ${caller.name || caller.address}` : caller.address
}

function whyOf(caller: SeenCaller): string {
  return caller.kind === 'address' ? caller.why : ''
}

function fewest(addresses: readonly SeenConnection[]): readonly SeenConnection[] {
  const sorted = addresses.toSorted((left, right) => right.connections - left.connections)
  const [first, ...others] = sorted.slice(MOST_ADDRESSES)
  const named = sorted.slice(0, MOST_ADDRESSES)
  if (first === undefined || first.caller.kind !== 'address') return named
  const sum = others.reduce(add, first)
  return [...named, { ...sum, caller: { ...first.caller, others: others.length } }]
}

function add(left: SeenConnection, right: SeenConnection): SeenConnection {
  return {
    ...left,
    connections: left.connections + right.connections,
    requests: left.requests + right.requests,
    last: right.last > left.last || Number.isNaN(left.last) ? right.last : left.last,
  }
}

function coverageByNamespace(
  book: AddressBook,
  lines: Tallied['pods'],
  calls: readonly Call[],
): ReadonlyMap<string, LogCoverage> {
  const unknown = groupBy(
    calls.filter((call) => call.unknown !== undefined),
    ({ target }) => target.namespace,
  )
  return new Map(
    [...book.pods].flatMap(([namespace, running]) => {
      const linesOf = ({ addresses }: RunningAt) => addresses.flatMap((address) => lines.get(address) ?? [])[0]
      const pods = running.filter((pod) => pod.hasSidecar || linesOf(pod) !== undefined)
      const written = pods.flatMap((pod) => linesOf(pod) ?? [])
      if (written.length === 0) return []
      const times = (key: 'first' | 'last') => written.map((pod) => pod[key]).filter((time) => !Number.isNaN(time))
      const coverage: LogCoverage = {
        pods: pods.length,
        podsWithLines: written.length,
        first: times('first').length === 0 ? Number.NaN : Math.min(...times('first')),
        last: times('last').length === 0 ? Number.NaN : Math.max(...times('last')),
        unknown: [...new Set((unknown.get(namespace) ?? []).flatMap((call) => call.unknown ?? []))],
      }
      return [[namespace, coverage] as const]
    }),
  )
}
