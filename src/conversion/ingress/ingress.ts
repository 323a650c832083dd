/**
 * An Ingress, parsed once for the conversion and the admission rule. Files may still use the removed versions
 * extensions/v1beta1 and networking.k8s.io/v1beta1, which have different backend fields.
 */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  scalarText,
  stringMap,
  stringMember,
  typeName,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import type { ReportLine } from '../model/report.ts'
import { fieldTypeProblems } from './field-types.ts'

export type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific'

export interface Backend {
  readonly service: string
  /** A number, or the name of one of the Service's ports. */
  readonly port: number | string
}

export interface IngressPath {
  readonly path: string
  readonly pathType: PathType
  /** Whether the controller marks the path as a regular expression that matches from the start. */
  readonly expression?: { readonly pattern: string; readonly ignoresCase: boolean }
  /** Undefined for a resource backend, or for one without a Service. */
  readonly backend: Backend | undefined
  /** `vendor.example.com/StorageBucket static` */
  readonly resource: string | undefined
  /** `spec.rules[0].http.paths[1]` */
  readonly field: string
}

export interface IngressRule {
  /** Lower case; empty if the rule has no host. */
  readonly host: string
  readonly paths: readonly IngressPath[]
  readonly field: string
}

export interface IngressTls {
  /** Lower case. */
  readonly hosts: readonly string[]
  readonly secret: string
  readonly field: string
}

export interface Ingress {
  readonly namespace: string
  readonly name: string
  /** `metadata.creationTimestamp`; empty in files that were never applied. */
  readonly createdAt: string
  readonly annotations: ReadonlyMap<string, string>
  readonly className: string | undefined
  readonly rules: readonly IngressRule[]
  readonly tls: readonly IngressTls[]
  /** Stored as a path `/`, so that it is reported like any other. */
  readonly defaultBackend: IngressPath | undefined
  /** Report lines from parsing. */
  readonly lines: readonly ReportLine[]
}

/** Returns `namespace/name`. */
export function ingressId({ namespace, name }: Pick<Ingress, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** Knative and OpenShift also have a kind Ingress, so the API group matters. */
export function isIngress(object: JsonObject): boolean {
  const version = stringMember(object, 'apiVersion') ?? ''
  return stringMember(object, 'kind') === 'Ingress' && /^(?:networking\.k8s\.io|extensions)\//.test(version)
}

export function readIngress(object: JsonObject, namespace: string, name: string): Ingress {
  const spec = member(object, 'spec')
  const fallback = member(spec, 'defaultBackend') ?? member(spec, 'backend')
  const problems = fieldTypeProblems(spec)
  const wrong = new Set(problems.flatMap(({ field }) => fieldWithParents(field)))
  const isRight = (field: string) => !wrong.has(field)
  return {
    namespace,
    name,
    createdAt: scalarText(memberAt(object, 'metadata', 'creationTimestamp')) ?? '',
    annotations: stringMap(memberAt(object, 'metadata', 'annotations')),
    className: stringMember(spec, 'ingressClassName'),
    rules: arrayMember(spec, 'rules')
      .map((rule, index) => readRule(rule, `spec.rules[${index}]`, isRight))
      .filter(({ field }) => isRight(`${field}.host`)),
    tls: arrayMember(spec, 'tls')
      .map((entry, index) => readTls(entry, `spec.tls[${index}]`))
      .filter(({ field }) => isRight(field)),
    defaultBackend:
      fallback === undefined || !isRight('spec.defaultBackend') ? undefined : readDefaultBackend(fallback),
    lines: [
      ...versionLines(object),
      ...classLines(spec),
      ...emptyLines(spec, fallback),
      ...problems.map(({ field, problem }) => refusedLine(field, problem)),
      ...annotationLines(object),
    ].map((line) => ({ ingress: ingressId({ namespace, name }), ...line })),
  }
}

/** Returns `a.b.c`, `a.b` and `a`. */
function fieldWithParents(field: string): readonly string[] {
  const names = field.split('.')
  return names.map((_, index) => names.slice(0, index + 1).join('.'))
}

function readRule(rule: Json, field: string, isRight: (field: string) => boolean): IngressRule {
  const paths = arrayMember(member(rule, 'http'), 'paths')
  return {
    host: (stringMember(rule, 'host') ?? '').toLowerCase(),
    paths: paths
      .map((path, index) => readPath(path, `${field}.http.paths[${index}]`))
      .filter((path) => isRight(path.field)),
    field,
  }
}

function readPath(path: Json, field: string): IngressPath {
  const pathType = stringMember(path, 'pathType')
  return {
    path: stringMember(path, 'path') ?? '',
    pathType: pathType === 'Exact' || pathType === 'Prefix' ? pathType : 'ImplementationSpecific',
    backend: readBackend(member(path, 'backend')),
    resource: readResource(member(path, 'backend')),
    field,
  }
}

function readDefaultBackend(value: Json): IngressPath {
  const field = 'spec.defaultBackend'
  return { path: '/', pathType: 'Prefix', backend: readBackend(value), resource: readResource(value), field }
}

function readBackend(value: Json | undefined): Backend | undefined {
  const service = memberAt(value, 'service')
  const name = stringMember(service, 'name') ?? stringMember(value, 'serviceName')
  const port =
    memberAt(service, 'port', 'number') ?? memberAt(service, 'port', 'name') ?? memberAt(value, 'servicePort')
  if (name === undefined || (typeof port !== 'number' && typeof port !== 'string')) return undefined
  return { service: name, port }
}

function readResource(value: Json | undefined): string | undefined {
  const resource = member(value, 'resource')
  if (!isObject(resource)) return undefined
  const group = stringMember(resource, 'apiGroup')
  const prefix = group === undefined ? '' : `${group}/`
  return `${prefix}${stringMember(resource, 'kind') ?? ''} ${stringMember(resource, 'name') ?? ''}`
}

function readTls(value: Json, field: string): IngressTls {
  const hosts = arrayMember(value, 'hosts').filter((host) => typeof host === 'string')
  return { hosts: hosts.map((host) => host.toLowerCase()), secret: stringMember(value, 'secretName') ?? '', field }
}

type UnnamedLine = Omit<ReportLine, 'ingress'>

function refusedLine(about: string, message: string): UnnamedLine {
  return { level: 'error', about, outcome: 'unsupported', message }
}

function versionLines(object: JsonObject): readonly UnnamedLine[] {
  const version = stringMember(object, 'apiVersion') ?? ''
  if (version === 'networking.k8s.io/v1') return []
  const message = `${version} was removed in Kubernetes 1.22; it is read as networking.k8s.io/v1`
  return [{ level: 'info', about: 'apiVersion', outcome: 'converted', message }]
}

function classLines(spec: Json | undefined): readonly UnnamedLine[] {
  if (stringMember(spec, 'ingressClassName') === undefined) return []
  const message = 'names the ingress controller'
  return [{ level: 'info', about: 'spec.ingressClassName', outcome: 'not-needed', message }]
}

function emptyLines(spec: Json | undefined, fallback: Json | undefined): readonly UnnamedLine[] {
  const rules = member(spec, 'rules') ?? []
  if (fallback !== undefined || !Array.isArray(rules) || rules.length > 0) return []
  const message = 'has neither rules nor a default backend, which Kubernetes rejects; there is nothing to convert'
  return [{ level: 'warn', about: 'spec.rules', outcome: 'not-needed', message }]
}

/** The API server rejects an annotation that is not a string, so a file with one was never applied. */
function annotationLines(object: JsonObject): readonly UnnamedLine[] {
  const annotations = memberAt(object, 'metadata', 'annotations')
  if (!isObject(annotations)) return []
  return Object.entries(annotations).flatMap(([about, value]) => {
    if (typeof value === 'string') return []
    const message = `must be a string, not ${typeName(value)}: put ${JSON.stringify(value)} in quotes`
    return [refusedLine(about, message)]
  })
}

/** Returns every backend of the Ingress, including the default one. */
export function backendsOf(ingress: Ingress): readonly (Backend | undefined)[] {
  const paths = ingress.rules.flatMap(({ paths: list }) => list.map(({ backend }) => backend))
  return ingress.defaultBackend === undefined ? paths : [...paths, ingress.defaultBackend.backend]
}
