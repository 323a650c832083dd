/** Plain-text connections that access logs show, and what the logs cannot show. */
import { counted } from '../../kubernetes/counted.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { isOlderThan } from '../../istio/version.ts'
import { memberAt, type JsonObject } from '../../kubernetes/json.ts'
import { referenceTo } from '../../kubernetes/object.ts'
import type { Estate } from '../estate.ts'
import { callerOf, finding, type Caller, type Finding } from '../finding.ts'
import type { SeenCaller, SeenConnection, SeenTraffic } from '../seen-traffic.ts'
import type { ExposedService } from '../service.ts'
import { describeReception, namespacesInScope, reception, type Situation } from '../situation.ts'
import { portNumber } from '../container-port.ts'
import { gatewayFix } from './outside-traffic.ts'

export function* findSeenCallers(situation: Situation): Iterable<readonly Finding[]> {
  const { seen } = situation.estate
  if (seen === undefined) return
  for (const namespace of namespacesInScope(situation)) {
    for (const connection of seen.connectionsTo(namespace)) yield judgeConnection(connection, seen, situation)
    if (seen.coverage(namespace) !== undefined)
      yield [unlogged(namespace, seen), ...tooBroad(namespace, situation.estate)]
  }
}

/**
 * | the called port | finding                                            |
 * |-----------------|----------------------------------------------------|
 * | STRICT          | plaintext-connection                               |
 * | other mode      | plaintext-connection-open                          |
 * | not redirected  | none: the line is of a pod with other settings     |
 */
function judgeConnection(seen: SeenConnection, traffic: SeenTraffic, situation: Situation): readonly Finding[] {
  const { target, port, caller } = seen
  const receptions = target.units.map((unit) => reception(unit, port, situation))
  const closed = receptions.find(({ kind }) => kind === 'closed')
  const open = receptions.find(({ kind }) => kind === 'open')
  const found = closed ?? open
  if (found === undefined || found.kind === 'direct') return []
  const where = describeReception(port, found.decision)
  const effect =
    closed === undefined
      ? `plain text, which works today (${where}) and fails under STRICT`
      : `plain text, refused: ${where}`
  const service = exposing(seen, situation.estate)
  return [
    finding(closed === undefined ? 'plaintext-connection-open' : 'plaintext-connection', {
      object: caller.kind === 'workload' ? caller.reference : (service ?? target.reference),
      port,
      about: `${describeCaller(caller)} to ${describe(target.reference)}`,
      message: `${describeCaller(caller)}, ${amountOf(seen)} to ${target.namespace}/${target.reference.name}:${port}${lastOf(seen, traffic)}: ${effect}.${remarkOn(caller, service)}`,
      fix: fixFor(caller, port, service),
      callers: [asCaller(caller)],
      scope: target.namespace,
    }),
  ]
}

/** `CronJob legacy/report`, `Node node-1`, `address 203.0.113.9` */
export function describeCaller(caller: SeenCaller): string {
  if (caller.kind === 'workload') return describe(caller.reference)
  if (caller.kind === 'node') return `Node ${caller.name === '' ? caller.address : caller.name}`
  const many = caller.others === 0 ? '' : ` and ${caller.others} more`
  return `Address ${caller.address === '' ? 'unknown' : caller.address}${many}`
}

/** A connection carries many requests, and a line is written for each of them. */
export function amountOf({ connections, requests }: Pick<SeenConnection, 'connections' | 'requests'>): string {
  if (connections === 0) return counted(requests, 'request')
  const made = counted(connections, 'connection')
  return requests > connections ? `${counted(requests, 'request')} on ${made}` : made
}

function lastOf({ last }: SeenConnection, { end }: SeenTraffic): string {
  return Number.isNaN(last) ? '' : `, last at ${timeText(last, end)}`
}

/** The time of day in UTC, with the date before it unless that is the log's last day. */
export function timeText(time: number, end: number): string {
  const text = new Date(time).toISOString()
  const day = text.slice(0, 10)
  return day === new Date(end).toISOString().slice(0, 10) ? text.slice(11, 16) : `${day} ${text.slice(11, 16)}`
}

function asCaller(caller: SeenCaller): Caller {
  if (caller.kind === 'workload') return callerOf(caller.reference)
  if (caller.kind === 'node' && caller.name !== '') return { kind: 'Node', namespace: '', name: caller.name }
  return { address: caller.address }
}

function remarkOn(caller: SeenCaller, service: ObjectReference | undefined): string {
  if (caller.kind === 'workload') return ''
  if (caller.kind === 'node')
    return service === undefined
      ? ' The caller is a process of the node or a pod of its network.'
      : ` The caller came through ${describe(service)}, or is a process of the node or a pod of its network.`
  if (caller.why === 'shared')
    return ' Pods of several workloads had this address one after the other, so the caller is unknown.'
  if (caller.why === 'forwarded')
    return ' The address is from X-Forwarded-For; the log does not have the address of the proxy that forwarded the request.'
  return ' Nothing in the cluster has this address.'
}

function fixFor(caller: SeenCaller, port: number, service: ObjectReference | undefined): string {
  if (caller.kind === 'node' && service === undefined)
    return `Let pods of the node's network call a port that stays PERMISSIVE: set port ${port} in portLevelMtls of a PeerAuthentication with a selector.`
  if (caller.kind !== 'workload') return gatewayFix(port)
  const isInMesh = caller.workload?.units.some(({ mesh }) => mesh.kind === 'sidecar') === true
  return isInMesh
    ? `${describe(caller.reference)} has a sidecar, but these calls go around it: call the workload by a Service name, redirect its address and port into the sidecar, and remove tls settings of DestinationRules for it.`
    : `Add ${describe(caller.reference)} to the mesh (label sidecar.istio.io/inject: "true" and a namespace that injects, then restart), or keep port ${port} PERMISSIVE.`
}

/** The Service through which callers from outside the cluster may have come. */
function exposing({ caller, target, port }: SeenConnection, estate: Estate): ObjectReference | undefined {
  if (caller.kind === 'workload') return undefined
  const leads = (service: ExposedService) =>
    service.ports.some((entry) => target.units.some((unit) => portNumber(entry.target, unit) === port))
  const service = estate.servicesSelecting(target).find((one) => isExposed(one) && leads(one))
  return service && { apiVersion: 'v1', kind: 'Service', namespace: service.namespace, name: service.name }
}

function isExposed({ type, externalIPs }: ExposedService): boolean {
  return type === 'NodePort' || type === 'LoadBalancer' || externalIPs.length > 0
}

function unlogged(namespace: string, seen: SeenTraffic): Finding {
  const { first, last, pods, podsWithLines } = seen.coverage(namespace) ?? EMPTY
  const span = Number.isNaN(first) ? '' : ` from ${isoMinute(first)} to ${isoMinute(last)}`
  return finding('open-connections-unlogged', {
    object: namespaceReference(namespace),
    message: `The access logs of ${podsWithLines} of ${counted(pods, 'pod')}${span} have no line for TCP connections that were still open at their end.`,
    fix: 'Collect logs for longer than the longest connection, or restart the clients while the logs are collected.',
    scope: namespace,
  })
}

const EMPTY = { first: Number.NaN, last: Number.NaN, pods: 0, podsWithLines: 0 }

function isoMinute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function namespaceReference(name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'Namespace', namespace: '', name }
}

/** `connection.mtls` is the example of Telemetry's own documentation (https://istio.io/latest/docs/reference/config/telemetry/#AccessLogging-Filter). */
const ONLY_PLAIN = '!connection.mtls'

/** No finding if a Telemetry of the namespace has the filter. */
function tooBroad(namespace: string, estate: Estate): readonly Finding[] {
  const own = estate.inventory
    .list('telemetries')
    .filter((object) => referenceTo(object).namespace === namespace && isOfNamespace(object))
  if (own.some((object) => JSON.stringify(memberAt(object, 'spec', 'accessLogging') ?? '').includes(ONLY_PLAIN)))
    return []
  const existing = own.find((object) => memberAt(object, 'spec', 'accessLogging') !== undefined)
  return [
    finding('access-log-too-broad', {
      object: namespaceReference(namespace),
      message: `One Telemetry object limits the access logs of namespace ${namespace} to inbound connections without mutual TLS${existing === undefined ? '' : `; it takes the place of Telemetry ${namespace}/${referenceTo(existing).name}, which has to be deleted while it is there`}.`,
      fix: `Apply:\n${telemetryYaml(namespace, estate)}`,
      scope: namespace,
    }),
  ]
}

/** Whether it is for the whole namespace, and not for the workloads that it selects. */
function isOfNamespace(object: JsonObject): boolean {
  return memberAt(object, 'spec', 'selector') === undefined && memberAt(object, 'spec', 'targetRefs') === undefined
}

/** Telemetry is v1 from Istio 1.22. */
function telemetryYaml(namespace: string, { inventory }: Estate): string {
  const { injector } = inventory.controlPlane('default')
  const version = isOlderThan(injector?.version, 1, 22) ? 'v1alpha1' : 'v1'
  return [
    `apiVersion: telemetry.istio.io/${version}`,
    'kind: Telemetry',
    'metadata:',
    '  name: plaintext-callers',
    `  namespace: ${namespace}`,
    'spec:',
    '  accessLogging:',
    '  - match:',
    '      mode: SERVER',
    '    providers:',
    '    - name: envoy',
    '    filter:',
    `      expression: "${ONLY_PLAIN}"`,
  ].join('\n')
}
