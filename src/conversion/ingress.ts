/** A networking.k8s.io/v1 Ingress, read once into what the conversion and the guard need. */
import {
  arrayMember,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'

export type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific'

export interface Backend {
  readonly service: string
  /** A number, or the name of one of the Service's ports. */
  readonly port: number | string
}

export interface IngressPath {
  readonly path: string
  readonly pathType: PathType
  /** Undefined for a resource backend, or one that names no Service. */
  readonly backend: Backend | undefined
  /** `spec.rules[0].http.paths[1]` */
  readonly field: string
}

export interface IngressRule {
  /** Lower case; empty where the rule names none. */
  readonly host: string
  readonly paths: readonly IngressPath[]
  readonly field: string
}

export interface IngressTls {
  readonly hosts: readonly string[]
  readonly secret: string
}

export interface Ingress {
  readonly namespace: string
  readonly name: string
  readonly annotations: ReadonlyMap<string, string>
  readonly className: string | undefined
  readonly rules: readonly IngressRule[]
  readonly tls: readonly IngressTls[]
  readonly defaultBackend: Backend | undefined
}

export function readIngress(object: JsonObject, namespace: string, name: string): Ingress {
  const spec = member(object, 'spec')
  return {
    namespace,
    name,
    annotations: stringMap(memberAt(object, 'metadata', 'annotations')),
    className: stringMember(spec, 'ingressClassName'),
    rules: arrayMember(spec, 'rules').map((rule, index) => readRule(rule, `spec.rules[${index}]`)),
    tls: arrayMember(spec, 'tls').map(readTls),
    defaultBackend: readBackend(member(spec, 'defaultBackend')),
  }
}

function readRule(rule: Json, field: string): IngressRule {
  const paths = arrayMember(member(rule, 'http'), 'paths')
  return {
    host: (stringMember(rule, 'host') ?? '').toLowerCase(),
    paths: paths.map((path, index) => readPath(path, `${field}.http.paths[${index}]`)),
    field,
  }
}

function readPath(path: Json, field: string): IngressPath {
  const pathType = stringMember(path, 'pathType')
  return {
    path: stringMember(path, 'path') ?? '',
    pathType: pathType === 'Exact' || pathType === 'Prefix' ? pathType : 'ImplementationSpecific',
    backend: readBackend(member(path, 'backend')),
    field,
  }
}

function readBackend(value: Json | undefined): Backend | undefined {
  const service = memberAt(value, 'service')
  const name = stringMember(service, 'name')
  const port = memberAt(service, 'port', 'number') ?? memberAt(service, 'port', 'name')
  if (name === undefined || (typeof port !== 'number' && typeof port !== 'string')) return undefined
  return { service: name, port }
}

function readTls(value: Json): IngressTls {
  const hosts = arrayMember(value, 'hosts').filter((host) => typeof host === 'string')
  return { hosts: hosts.map((host) => host.toLowerCase()), secret: stringMember(value, 'secretName') ?? '' }
}

/** Every backend of the Ingress, the default one included. */
export function backendsOf(ingress: Ingress): readonly (Backend | undefined)[] {
  const paths = ingress.rules.flatMap(({ paths: list }) => list.map(({ backend }) => backend))
  return ingress.defaultBackend === undefined ? paths : [...paths, ingress.defaultBackend]
}
