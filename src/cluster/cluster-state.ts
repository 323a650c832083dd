/**
 * The cluster as the rules see it: an indexed value, built from objects and replaced as a whole.
 *
 * From manifests, what no manifest says is absent, with three exceptions (design.md section 2): no
 * MutatingWebhookConfiguration at all stands for Istio's default install; without an injector ConfigMap nothing is known
 * about probe rewriting; a namespace that nothing declares has no labels.
 */
import {
  arrayMember,
  member,
  memberAt,
  scalarText,
  stringMap,
  stringMember,
  type JsonObject,
} from '../kubernetes/json.ts'
import { annotationsOf, describe, labelsOf, metadataOf, referenceTo } from '../kubernetes/object.ts'
import { unknownControlPlane, type ControlPlane } from '../istio/control-plane.ts'
import { DEFAULT_INSTALL, inCallingOrder, type InjectionWebhook } from '../istio/injection-webhook.ts'
import type { Mesh, Namespace, Service } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/peer-authentication.ts'
import { indexPolicies } from '../istio/policy-index.ts'
import type { FieldProblem } from './field-problem.ts'
import { readControlPlanePart, type ControlPlanePart } from './read-control-plane.ts'
import { isLegacyPolicy, readPeerAuthentication } from './read-peer-authentication.ts'
import { readInjectionWebhooks } from './read-webhooks.ts'

export interface ClusterState extends Mesh {
  /** Objects that say something Istio no longer listens to, one line each. */
  readonly notes: readonly string[]
}

export interface ObjectProblem extends FieldProblem {
  readonly object: JsonObject
}

/** Objects of kinds that no rule reads are passed over; objects that cannot be read are reported and left out. */
export function buildClusterState(objects: readonly JsonObject[]): {
  readonly state: ClusterState
  readonly problems: readonly ObjectProblem[]
} {
  const parts = new Collected()
  for (const object of objects) collect(object, parts)
  return { state: assemble(parts), problems: parts.problems }
}

/** What has been read so far; lives only while a state is built. */
class Collected {
  readonly namespaces = new Map<string, Namespace>()
  readonly policies: PeerAuthentication[] = []
  readonly services = new Map<string, Service>()
  readonly webhooks: InjectionWebhook[] = []
  hasWebhookConfigurations = false
  readonly controlPlanes: ControlPlanePart[] = []
  readonly ingressControllers = new Map<string, string>()
  readonly kubeletVersions: string[] = []
  readonly notes: string[] = []
  readonly problems: ObjectProblem[] = []
}

function collect(object: JsonObject, parts: Collected): void {
  const name = stringMember(metadataOf(object), 'name') ?? ''
  switch (groupKind(object)) {
    case '/Namespace':
      parts.namespaces.set(name, declaredNamespace(name, object))
      break
    case '/Service': {
      const service = readService(object)
      parts.services.set(`${service.namespace}/${service.name}`, service)
      break
    }
    case '/Node':
      parts.kubeletVersions.push(scalarText(memberAt(object, 'status', 'nodeInfo', 'kubeletVersion')) ?? '')
      break
    case '/ConfigMap':
      add(readControlPlanePart(object), object, parts, (part) => parts.controlPlanes.push(part))
      break
    case 'admissionregistration.k8s.io/MutatingWebhookConfiguration':
      parts.hasWebhookConfigurations = true
      add(readInjectionWebhooks(object), object, parts, (webhooks) => parts.webhooks.push(...webhooks))
      break
    case 'security.istio.io/PeerAuthentication':
      add(readPeerAuthentication(object), object, parts, (policy) => parts.policies.push(policy))
      break
    case 'networking.k8s.io/IngressClass':
      parts.ingressControllers.set(name, scalarText(memberAt(object, 'spec', 'controller')) ?? '')
      break
    default:
      if (isLegacyPolicy(object))
        parts.notes.push(`${describe(referenceTo(object))}: Istio 1.6 and later ignores it; it is not counted`)
  }
}

function groupKind(object: JsonObject): string {
  const apiVersion = stringMember(object, 'apiVersion') ?? ''
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return `${group}/${stringMember(object, 'kind') ?? ''}`
}

function add<Part extends object>(
  read: Part | FieldProblem | undefined,
  object: JsonObject,
  parts: Collected,
  keep: (part: Part) => void,
): void {
  if (read === undefined) return
  if ('problem' in read) parts.problems.push({ object, field: read.field, problem: read.problem })
  else keep(read)
}

function declaredNamespace(name: string, object: JsonObject): Namespace {
  const labels = new Map(labelsOf(object)).set('kubernetes.io/metadata.name', name)
  return { name, labels, annotations: annotationsOf(object), isDeclared: true }
}

function undeclaredNamespace(name: string): Namespace {
  return { name, labels: new Map([['kubernetes.io/metadata.name', name]]), annotations: new Map(), isDeclared: false }
}

function readService(object: JsonObject): Service {
  const ports = arrayMember(member(object, 'spec'), 'ports')
  return {
    namespace: stringMember(metadataOf(object), 'namespace') ?? 'default',
    name: stringMember(metadataOf(object), 'name') ?? '',
    labels: labelsOf(object),
    selector: stringMap(memberAt(object, 'spec', 'selector')),
    ports: ports.map((port) => ({ name: stringMember(port, 'name') ?? '', port: Number(member(port, 'port')) })),
  }
}

function assemble(parts: Collected): ClusterState {
  const controlPlanes = mergeControlPlanes(parts.controlPlanes)
  return {
    namespace: (name) => parts.namespaces.get(name) ?? undeclaredNamespace(name),
    webhooks: parts.hasWebhookConfigurations ? inCallingOrder(parts.webhooks) : DEFAULT_INSTALL,
    controlPlane: (revision) => controlPlanes.get(revision) ?? unknownControlPlane(revision),
    policies: indexPolicies(parts.policies),
    service: (namespace, name) => parts.services.get(`${namespace}/${name}`),
    ingressController: (className) => parts.ingressControllers.get(className),
    hasImageVolumes: haveImageVolumes(parts.kubeletVersions),
    notes: parts.notes,
  }
}

function mergeControlPlanes(parts: readonly ControlPlanePart[]): ReadonlyMap<string, ControlPlane> {
  const planes = new Map<string, ControlPlane>()
  for (const { revision, mesh, injector } of parts) {
    const known = planes.get(revision) ?? unknownControlPlane(revision)
    planes.set(revision, { ...known, ...mesh, injector: injector ?? known.injector })
  }
  return planes
}

/** Image volumes are on by default from kubelet 1.35; an older node would not start the pod. */
function haveImageVolumes(versions: readonly string[]): boolean | undefined {
  if (versions.length === 0) return undefined
  return versions.every((version) => {
    const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? []
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 35)
  })
}
