/**
 * Counts the connections of access logs by where they come from and where they go, in memory that does not grow with the
 * logs: addresses beyond a bound are counted together.
 */
import { given, include, isInbound, isLoopback, securityOf, splitEndpoint, timeOf } from './line-facts.ts'
import type { LogFields } from './log-format.ts'

/** Plain-text connections from one address to one port of one pod that look alike. */
export interface Flow {
  /** The pod that wrote the lines, and its port. */
  readonly local: string
  readonly port: number
  /** Empty for addresses beyond the bound. */
  readonly remote: string
  /** The remote address is from X-Forwarded-For, so the proxy in between is not known. */
  readonly isForwarded: boolean
  readonly security: 'plain' | 'unknown'
  /** kubelet's User-Agent, `kube-probe/1.35` or `kube-lifecycle/1.35`; empty for any other caller. */
  readonly agent: string
  /** A TCP line has neither authority nor User-Agent: TLS to the application, for example. */
  readonly isRequest: boolean
  /** The SNI of a Service, as the API server sends it; empty for any other. */
  readonly serverName: string
  readonly lines: number
  /** 0 if they are not known, because a proxy forwarded the requests. */
  readonly connections: number
  /** Milliseconds since 1970; NaN if no line has a time. */
  readonly first: number
  readonly last: number
}

/** Outbound calls of a pod to a host that the mesh does not know. */
export interface UnknownHost {
  readonly pod: string
  /** A name if the call has one (SNI or authority), otherwise an address. */
  readonly host: string
  readonly port: number
  readonly isRequest: boolean
  readonly isTls: boolean
  readonly isBlocked: boolean
  readonly lines: number
  readonly first: number
  readonly last: number
}

/** The inbound lines of a pod. */
export interface PodLines {
  readonly lines: number
  readonly first: number
  readonly last: number
}

export interface Tallied {
  readonly flows: readonly Flow[]
  readonly hosts: readonly UnknownHost[]
  /** By the address of the pod that wrote the lines. */
  readonly pods: ReadonlyMap<string, PodLines>
}

export interface Tally {
  readonly add: (fields: LogFields) => void
  readonly result: () => Tallied
}

export function createTally(): Tally {
  const flows = createFlows()
  const hosts = createCounter<UnknownHost>(MOST_HOSTS)
  const pods = createCounter<PodLines>(MOST_PODS)
  return {
    add(fields) {
      const time = timeOf(fields.time)
      if (!isInbound(fields)) {
        const host = unknownHostOf(fields)
        if (host !== undefined) hosts.add(keyOf(host), host, time)
        return
      }
      const local = splitEndpoint(fields.local ?? '', fields.localPort)
      if (isLoopback(local.address)) return
      pods.add(local.address, {}, time)
      const flow = flowOf(fields, local)
      if (flow !== undefined) flows.add(flow, splitEndpoint(fields.directRemote ?? fields.remote ?? '').port, time)
    },
    result: () => ({ flows: flows.all(), hosts: hosts.all(), pods: pods.entries() }),
  }
}

type FlowLike = Omit<Flow, 'lines' | 'connections' | 'first' | 'last'>

const KUBELET = /^kube-(?:probe|lifecycle)\/[\w.+-]{1,30}/
const SERVICE_NAME = /^[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}\.svc(?:\.[a-z0-9.-]{1,100})?$/

/** Returns undefined for mutual TLS, and for what the pod sends to itself. */
function flowOf(fields: LogFields, { address, port }: { address: string; port: number }): FlowLike | undefined {
  const remote = splitEndpoint(fields.directRemote ?? fields.remote ?? '')
  const security = securityOf(fields)
  if (security === 'mesh' || remote.address === address || isLoopback(remote.address)) return undefined
  const agent = given(fields.agent)
  const serverName = given(fields.serverName)
  return {
    local: address,
    port,
    remote: remote.address,
    // An address from a header has no port, so Envoy writes 0.
    isForwarded: fields.directRemote === undefined && remote.port === 0,
    security,
    agent: KUBELET.test(agent) ? agent : '',
    isRequest: agent !== '' || given(fields.authority) !== '',
    serverName: SERVICE_NAME.test(serverName) ? serverName : '',
  }
}

/** An entry takes about half a kilobyte. */
const MOST_FLOWS = 50_000
const MOST_HOSTS = 10_000
const MOST_PODS = 20_000
/** Source ports that are remembered, to tell the requests of a connection from the next connection. */
const REMEMBERED_PORTS = 16

function createFlows() {
  const counter = createCounter<Flow & { readonly ports: number[] }>(MOST_FLOWS)
  return {
    add(flow: FlowLike, port: number, time: number): void {
      const isFull = counter.isFull() && !counter.has(keyOf(flow))
      const like = isFull ? { ...flow, remote: '' } : flow
      const entry = counter.add(keyOf(like), { ...like, connections: 0, ports: [] }, time, true)
      if (flow.isForwarded || entry === undefined || (flow.isRequest && entry.ports.includes(port))) return
      entry.connections += 1
      if (entry.ports.push(port) > REMEMBERED_PORTS) entry.ports.shift()
    },
    all: (): readonly Flow[] => counter.all(),
  }
}

/** Returns undefined for a call to a known host, and for lines that are not of a call. */
function unknownHostOf(fields: LogFields): Omit<UnknownHost, 'lines' | 'first' | 'last'> | undefined {
  const { cluster = '', route } = fields
  const isBlocked = cluster.startsWith('BlackHoleCluster') || route === 'block_all'
  if (!isBlocked && !cluster.startsWith('PassthroughCluster')) return undefined
  const pod = splitEndpoint(fields.directRemote ?? fields.remote ?? '').address
  const { address, port } = splitEndpoint(fields.local ?? '', fields.localPort)
  const serverName = hostOrNone(given(fields.serverName))
  const authority = hostOrNone(splitEndpoint(given(fields.authority)).address)
  const host = (serverName || authority || address).toLowerCase()
  if (pod === '' || host === '') return undefined
  const [isRequest, isTls] = [given(fields.authority) !== '', given(fields.serverName) !== '']
  return { pod, host, port, isRequest, isTls, isBlocked }
}

/** Clients choose the text, which is printed in YAML: what no host can be called is as good as none. */
function hostOrNone(text: string): string {
  return text.length <= 253 && HOST.test(text) ? text : ''
}

const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$|^[0-9A-Fa-f:.]+$/

function keyOf(like: object): string {
  return Object.values(like).join(' ')
}

type Counted<Value> = { -readonly [Key in keyof Value]: Value[Key] }

/** Counts lines by key, with the span of their times. Beyond the bound only known keys are counted. */
function createCounter<Value extends { readonly lines: number; readonly first: number; readonly last: number }>(
  most: number,
) {
  const entries = new Map<string, Counted<Value>>()
  return {
    has: (key: string) => entries.has(key),
    isFull: () => entries.size >= most,
    all: (): readonly Value[] => [...entries.values()],
    entries: (): ReadonlyMap<string, Value> => entries,
    add(key: string, like: Partial<Value>, time: number, isForced = false): Counted<Value> | undefined {
      const known = entries.get(key)
      if (known === undefined && entries.size >= most && !isForced) return undefined
      const entry = known ?? ({ ...owned(like), lines: 0, first: Number.NaN, last: Number.NaN } as Counted<Value>)
      if (known === undefined) entries.set(owned(key), entry)
      entry.lines += 1
      include(entry, time)
      return entry
    },
  }
}

/** A part of a text keeps the whole text in memory, here a block of the log. */
function owned<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}
