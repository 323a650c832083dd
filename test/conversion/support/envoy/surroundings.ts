/** What emitted objects need around them in a real cluster: namespaces, the Services that they name, a gateway that serves them. */
import type { SelfSigned } from '../../../../src/certificates/self-signed.ts'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../../src/kubernetes/json.ts'
import type { ServicePort } from './backends.ts'

const GATEWAY_SERVICE = 'istio-ingressgateway.istio-system.svc.cluster.local'

export function namespacesOf(objects: readonly JsonObject[]): readonly JsonObject[] {
  const names = new Set(objects.map((object) => stringMember(member(object, 'metadata'), 'namespace') ?? 'default'))
  return [...names].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
}

/** A Gateway of the Gateway API leads to the gateway that runs; creation times are the API server's own. */
export function appliable(object: JsonObject): JsonObject {
  const entries = Object.entries(object['metadata'] ?? {}).filter(([key]) => key !== 'creationTimestamp')
  const metadata = Object.fromEntries(entries) as JsonObject
  if (object['kind'] !== 'Gateway' || !String(object['apiVersion']).startsWith('gateway.'))
    return { ...object, metadata }
  const spec = member(object, 'spec') as JsonObject
  return { ...object, metadata, spec: { ...spec, addresses: [{ type: 'Hostname', value: GATEWAY_SERVICE }] } }
}

/** `namespace/name` of the certificates that Gateways and ListenerSets name. */
export function secretNamesOf(objects: readonly JsonObject[]): readonly string[] {
  const names = objects
    .filter((object) => object['kind'] === 'Gateway' || object['kind'] === 'ListenerSet')
    .flatMap((gateway) => {
      const namespace = stringMember(member(gateway, 'metadata'), 'namespace') ?? 'default'
      const references = nodes(gateway).flatMap((node) => arrayMember(node, 'certificateRefs'))
      const credentials = nodes(gateway).flatMap((node) => stringMember(node, 'credentialName') ?? [])
      return [
        ...credentials.map((name) => `istio-system/${name}`),
        ...references.map(
          (reference) =>
            `${stringMember(reference, 'namespace') ?? namespace}/${stringMember(reference, 'name') ?? ''}`,
        ),
      ]
    })
  return [...new Set(names)]
}

/** With the authority beside it, which Istio reads where it asks for the client's certificate. */
export function secretObject(id: string, { ca, cert, key }: SelfSigned): JsonObject {
  const [namespace = '', name = ''] = id.split('/')
  const stringData = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { namespace, name }, stringData }
}

/** Every Service port that a VirtualService or a route of the Gateway API names as a backend. */
export function servicePortsOf(objects: readonly JsonObject[]): readonly ServicePort[] {
  const found = objects.flatMap((object) => {
    const namespace = stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
    return [...destinations(object), ...backendReferences(object, namespace, object['kind'] === 'GRPCRoute')]
  })
  const byName = new Map(found.map((entry) => [`${entry.namespace}/${entry.service}:${entry.port}`, entry]))
  return [...byName.values()].toSorted((left, right) => left.port - right.port)
}

function destinations(value: Json | undefined): readonly ServicePort[] {
  return nodes(value).flatMap((node) => {
    const { groups } =
      /^(?<service>[^.]+)\.(?<namespace>[^.]+)\.svc\.cluster\.local$/.exec(
        stringMember(member(node, 'destination'), 'host') ?? '',
      ) ?? {}
    const port = memberAt(node, 'destination', 'port', 'number')
    if (groups === undefined || typeof port !== 'number') return []
    return [{ service: groups['service'] ?? '', namespace: groups['namespace'] ?? '', port }]
  })
}

function backendReferences(value: Json, namespace: string, isGrpc: boolean): readonly ServicePort[] {
  return nodes(value)
    .flatMap((node) => arrayMember(node, 'backendRefs'))
    .filter((reference) => (stringMember(reference, 'kind') ?? 'Service') === 'Service')
    .map((reference) => ({
      service: stringMember(reference, 'name') ?? '',
      namespace: stringMember(reference, 'namespace') ?? namespace,
      port: Number(member(reference, 'port')),
      isGrpc,
    }))
}

/** Every object in a value, itself included. */
function nodes(value: Json | undefined): readonly JsonObject[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(nodes)
  return isObject(value) ? [value, ...Object.values(value).flatMap(nodes)] : []
}
