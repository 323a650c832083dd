/** Calls that a workload declares in its containers, resolved to Services and pods of the cluster. */
import type { Places } from './places.ts'
import type { Mention } from './mentions.ts'
import type { ExposedService, ServicePort } from './service.ts'
import type { Workload } from './workload.ts'

export interface Call {
  readonly caller: Workload
  readonly container: string
  readonly isInit: boolean
  /** The host as the caller writes it, without the port. */
  readonly host: string
  /** The dialled port; undefined if the caller gives none. */
  readonly port: number | undefined
  /** Whether the call begins with a TLS handshake, because its URL has such a scheme. */
  readonly isTls: boolean
  /** Whether the caller sends fewer than five bytes. */
  readonly isShort: boolean
  readonly by: 'name' | 'cluster-ip' | 'pod-ip' | 'node-port' | 'load-balancer'
  readonly target: CallTarget
}

export interface CallTarget {
  readonly namespace: string
  readonly service: ExposedService | undefined
  /** The port of the Service; undefined if the call matches none of its ports. */
  readonly servicePort: ServicePort | undefined
  readonly workloads: readonly Workload[]
}

export function resolveCalls(caller: Workload, places: Places): readonly Call[] {
  return caller.mentions.flatMap(({ container, isInit, mentions }) =>
    mentions.flatMap((mention) =>
      resolveMention(mention, caller, places)
        // A workload that names its own Service does not call itself through the mesh.
        .filter(({ target }) => !target.workloads.includes(caller) || target.workloads.length > 1)
        .map((call) => ({
          ...call,
          caller,
          container,
          isInit,
          isTls: mention.isTls === true,
          isShort: mention.isShort === true,
        })),
    ),
  )
}

type Resolved = Omit<Call, 'caller' | 'container' | 'isInit' | 'isTls' | 'isShort'>

function resolveMention({ host, port }: Mention, caller: Workload, places: Places): readonly Resolved[] {
  const byAddress = places.serviceAt(host)
  if (byAddress !== undefined) return toService(host, port, 'cluster-ip', byAddress, places)
  const fromOutside = places.serviceFromOutside(host)
  if (fromOutside !== undefined) return toService(host, port, 'load-balancer', fromOutside, places)
  const pod = places.workloadAt(host)
  if (pod !== undefined) return [toPod(host, port, pod, places)]
  if (places.isNodeAddress(host)) return port === undefined ? [] : toNodePort(host, port, places)
  const service = behindAlias(serviceNamed(host, caller.namespace, places), places)
  return service === undefined ? [] : toService(host, port, 'name', service, places)
}

/** Follows the DNS search path of the caller's namespace; `POD.SERVICE` resolves to a pod of a headless Service. */
function serviceNamed(host: string, from: string, places: Places): ExposedService | undefined {
  const labels = host.replace(/\.$/, '').split('.')
  const svc = labels.indexOf('svc')
  const names = svc === -1 ? labels : labels.slice(0, svc)
  const [first = '', second, third, ...rest] = names
  if (rest.length > 0) return undefined
  if (third !== undefined) return headless(places.service(third, second ?? ''))
  if (second === undefined) return svc === -1 ? places.service(from, first) : undefined
  return places.service(second, first) ?? headless(places.service(from, second))
}

/** The Service that an ExternalName names; the Service itself otherwise. An alias of an alias is not followed. */
function behindAlias(service: ExposedService | undefined, places: Places): ExposedService | undefined {
  if (service?.type !== 'ExternalName') return service
  return serviceNamed(service.externalName, service.namespace, places) ?? service
}

function headless(service: ExposedService | undefined): ExposedService | undefined {
  return service?.isHeadless === true ? service : undefined
}

/** A call without a port counts as one call to each port of the Service. */
function toService(
  host: string,
  port: number | undefined,
  by: Call['by'],
  service: ExposedService,
  places: Places,
): readonly Resolved[] {
  const workloads = places.selectedBy(service)
  const target = { namespace: service.namespace, service, workloads }
  const ports = service.ports.filter(
    (entry) => port === undefined || entry.port === port || isDirect(entry, port, service),
  )
  if (ports.length === 0 && port !== undefined && service.isHeadless)
    // The name leads to the pods, so any of their ports answers; the mesh knows none that the Service leaves out.
    return [{ host, port, by: 'pod-ip', target: { ...target, servicePort: undefined } }]
  if (ports.length === 0)
    return port === undefined ? [{ host, port, by, target: { ...target, servicePort: undefined } }] : []
  return ports.map((servicePort) => ({ host, port: port ?? servicePort.port, by, target: { ...target, servicePort } }))
}

/** The name of a headless Service resolves to pod addresses, so the dialled port is the pod's. */
function isDirect(entry: ServicePort, port: number, { isHeadless }: ExposedService): boolean {
  return isHeadless && entry.target === port
}

function toPod(host: string, port: number | undefined, workload: Workload, places: Places): Resolved {
  const service = places
    .servicesSelecting(workload)
    .find((found) => found.isHeadless && found.ports.some((entry) => entry.target === port))
  const servicePort = service?.ports.find((entry) => entry.target === port)
  return {
    host,
    port,
    by: 'pod-ip',
    target: { namespace: workload.namespace, service, servicePort, workloads: [workload] },
  }
}

function toNodePort(host: string, port: number, places: Places): readonly Resolved[] {
  const found = places.behindNodePort(port)
  if (found === undefined) return []
  const workloads = places.selectedBy(found.service)
  return [{ host, port, by: 'node-port', target: { namespace: found.service.namespace, ...found, workloads } }]
}
