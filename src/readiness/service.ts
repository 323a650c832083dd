/** A Service as the engine reads it: its addresses, and the pod ports that it targets. */
import {
  arrayMember,
  member,
  memberAt,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { isPortNumber } from '../kubernetes/handler.ts'
import { annotationsOf, labelsOf, metadataOf } from '../kubernetes/object.ts'
import { stringMap } from '../kubernetes/json.ts'
import type { Service } from '../istio/mesh.ts'

/**
 * The protocol that Istio assumes for a port
 * (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/):
 * `http` is HTTP/1.1, `http2` is HTTP/2 or gRPC, `tcp` is any opaque protocol, TLS included, `auto` means detection.
 */
export type Protocol = 'http' | 'http2' | 'tcp' | 'auto'

export interface ServicePort {
  readonly name: string
  readonly port: number
  /** `targetPort`, which defaults to the port itself: a number, or the name of a container port. */
  readonly target: number | string
  readonly nodePort: number | undefined
  readonly protocol: Protocol
}

export interface ExposedService extends Service {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  readonly isHeadless: boolean
  /** Empty if the manifest has none: the API server assigns them. */
  readonly clusterIPs: readonly string[]
  readonly externalIPs: readonly string[]
  /** IP addresses and host names of its load balancer. */
  readonly loadBalancers: readonly string[]
  readonly externalName: string
  readonly ports: readonly ServicePort[]
  /** Set if the annotation prometheus.io/scrape asks for scrapes of its endpoints: prometheus.io/port, or `every` port. */
  readonly scrape?: number | 'every'
}

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const

export function readService(object: JsonObject): ExposedService {
  const spec = member(object, 'spec')
  const clusterIP = stringMember(spec, 'clusterIP')
  const addresses = new Set([clusterIP, ...arrayMember(spec, 'clusterIPs').map(scalarText)])
  return {
    namespace: stringMember(metadataOf(object), 'namespace') ?? 'default',
    name: stringMember(metadataOf(object), 'name') ?? '',
    labels: labelsOf(object),
    selector: stringMap(memberAt(object, 'spec', 'selector')),
    type: TYPES.find((type) => type === member(spec, 'type')) ?? 'ClusterIP',
    isHeadless: clusterIP === 'None' || arrayMember(spec, 'clusterIPs').includes('None'),
    clusterIPs: [...addresses].filter(
      (address) => address !== undefined && address !== '' && address !== 'None',
    ) as string[],
    loadBalancers: arrayMember(memberAt(object, 'status', 'loadBalancer'), 'ingress').flatMap(
      (entry) => stringMember(entry, 'ip') ?? stringMember(entry, 'hostname') ?? [],
    ),
    externalIPs: arrayMember(spec, 'externalIPs').flatMap((address) => scalarText(address) ?? []),
    externalName: stringMember(spec, 'externalName') ?? '',
    ports: arrayMember(spec, 'ports').flatMap(readPort),
    ...readScrape(annotationsOf(object)),
  }
}

/** The convention of the example configuration of Prometheus, `kubernetes-service-endpoints`. */
function readScrape(annotations: ReadonlyMap<string, string>): Pick<ExposedService, 'scrape'> {
  if (annotations.get('prometheus.io/scrape') !== 'true') return {}
  const port = Number(annotations.get('prometheus.io/port'))
  return { scrape: isPortNumber(port) ? port : 'every' }
}

function readPort(entry: Json): readonly ServicePort[] {
  if ((stringMember(entry, 'protocol') ?? 'TCP') !== 'TCP') return []
  const name = stringMember(entry, 'name') ?? ''
  const port = Number(member(entry, 'port'))
  const target = member(entry, 'targetPort')
  const nodePort = member(entry, 'nodePort')
  return [
    {
      name,
      port,
      target: isPortNumber(target) || (typeof target === 'string' && target !== '') ? target : port,
      nodePort: isPortNumber(nodePort) ? nodePort : undefined,
      protocol: protocolOf(stringMember(entry, 'appProtocol'), name, port),
    },
  ]
}

/** Ports that Istio treats as TCP unless declared otherwise (`pkg/config/kube/conversion.go` ConvertProtocol). */
const WELL_KNOWN_TCP = new Set([25, 53, 3306, 27017])

/**
 * | appProtocol or prefix of the name      | protocol |
 * |----------------------------------------|----------|
 * | http, kubernetes.io/ws, http_proxy     | http     |
 * | http2, grpc, grpc-web, kubernetes.io/h2c | http2  |
 * | tcp, tls, https, mongo, redis, mysql, udp | tcp   |
 * | anything else, or nothing              | auto, but tcp for the well-known ports |
 */
function protocolOf(appProtocol: string | undefined, name: string, port: number): Protocol {
  const text = (appProtocol ?? name).toLowerCase()
  const word = appProtocol === undefined && !text.startsWith('grpc-web') ? (text.split('-')[0] ?? '') : text
  switch (word) {
    case 'http':
    case 'kubernetes.io/ws':
    case 'http_proxy':
      return 'http'
    case 'http2':
    case 'grpc':
    case 'grpc-web':
    case 'kubernetes.io/h2c':
      return 'http2'
    case 'tcp':
    case 'tls':
    case 'https':
    case 'kubernetes.io/wss':
    case 'mongo':
    case 'redis':
    case 'mysql':
    case 'udp':
      return 'tcp'
    default:
      if (text.startsWith('grpc-web')) return 'http2'
      return WELL_KNOWN_TCP.has(port) ? 'tcp' : 'auto'
  }
}
