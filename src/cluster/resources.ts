/** The kinds that make up the cluster's state: their API paths, how each is read, and its table. */
import { annotationsOf, describe, labelsOf, metadataOf, referenceTo } from '../kubernetes/object.ts'
import { memberAt, scalarText, stringMap, stringMember, type JsonObject } from '../kubernetes/json.ts'
import type { Namespace } from '../istio/mesh.ts'
import {
  readAggregationCallbacks,
  readConversionCallbacks,
  readOwnWebhooks,
  readWebhookCallbacks,
} from '../readiness/callback.ts'
import { MANAGED_BY, OF_A_SELECTOR, readEndpoints } from '../readiness/endpoints.ts'
import type { IngressClass } from '../readiness/inventory.ts'
import { readService } from '../readiness/service.ts'
import { readWorkloadRow, type WorkloadRow } from '../readiness/workload-row.ts'
import type { Problem } from '../kubernetes/problem.ts'
import { readControlPlanePart } from './read-control-plane.ts'
import { readNode } from './read-node.ts'
import { readPeerAuthentication } from '../istio/read-peer-authentication.ts'
import { readInjectionWebhooks } from './read-webhooks.ts'
import type {
  MutatingConfiguration,
  NETWORKING_TABLES,
  READINESS_TABLES,
  RowKey,
  Rows,
  TableName,
  WORKLOAD_TABLES,
} from './tables.ts'
import { keepAnnotations, trimNetworking, trimWorkload } from './trim-object.ts'

/**
 * - `always`: every API server has it, and every decision needs it.
 * - `with-istio`: a CustomResourceDefinition. If it is absent, there are no objects.
 */
export type Presence = 'always' | 'with-istio'

export interface Resource<Name extends TableName = TableName> {
  /** The plural in the API's paths, unless `plural` is set. */
  readonly table: Name
  readonly plural?: string
  readonly kind: string
  readonly group: string
  /** Newest first. Istio before 1.22 serves only v1beta1. */
  readonly versions: readonly string[]
  readonly presence: Presence
  readonly scope: 'Cluster' | 'Namespaced'
  /** Read only from the control planes' namespaces. */
  readonly isControlPlane?: true
  /** Of the objects to list and watch; undefined for all. */
  readonly labelSelector?: string
  /** Whether the webhook needs it; the others are for questions about the whole cluster. */
  readonly isForAdmission: boolean
  /** Returns undefined for an irrelevant object. */
  readonly read: (object: JsonObject) => Rows[Name] | Problem | undefined
}

const CLUSTER = { scope: 'Cluster' } as const
const REST = { isForAdmission: false } as const
const GATEWAY_API = custom('gateway.networking.k8s.io', ['v1', 'v1beta1', 'v1alpha2'])
const LEGACY = { ...istio('authentication.istio.io', ['v1alpha1']), isForAdmission: false } as const

export const RESOURCES: readonly Resource[] = [
  { ...core('namespaces', 'Namespace', readNamespace), ...CLUSTER },
  core('services', 'Service', readService),
  { ...core('nodes', 'Node', readNode), ...CLUSTER },
  { ...core('configmaps', 'ConfigMap', readControlPlanePart), isControlPlane: true },
  {
    ...core('mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', readMutatingConfiguration),
    ...CLUSTER,
    group: 'admissionregistration.k8s.io',
  },
  { ...core('ingressclasses', 'IngressClass', readIngressClass), ...CLUSTER, group: 'networking.k8s.io' },
  {
    ...core('peerauthentications', 'PeerAuthentication', readPeerAuthentication),
    ...istio('security.istio.io', ['v1', 'v1beta1']),
  },
  { ...core('policies', 'Policy', readLegacyPolicy), ...LEGACY },
  { ...core('meshpolicies', 'MeshPolicy', readLegacyPolicy), ...LEGACY, ...CLUSTER },
  {
    ...core('endpointslices', 'EndpointSlice', readEndpoints),
    ...REST,
    group: 'discovery.k8s.io',
    labelSelector: `${MANAGED_BY}!=${OF_A_SELECTOR}`,
  },
  workload('deployments', 'Deployment', 'apps'),
  workload('statefulsets', 'StatefulSet', 'apps'),
  workload('daemonsets', 'DaemonSet', 'apps'),
  workload('replicasets', 'ReplicaSet', 'apps'),
  workload('jobs', 'Job', 'batch'),
  workload('cronjobs', 'CronJob', 'batch'),
  workload('replicationcontrollers', 'ReplicationController', ''),
  workload('pods', 'Pod', ''),
  networking('sidecars', 'Sidecar'),
  networking('serviceentries', 'ServiceEntry'),
  networking('gateways', 'Gateway'),
  networking('virtualservices', 'VirtualService'),
  networking('destinationrules', 'DestinationRule'),
  {
    ...core('validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', readWebhookCallbacks),
    ...CLUSTER,
    ...REST,
    group: 'admissionregistration.k8s.io',
  },
  {
    ...core('customresourcedefinitions', 'CustomResourceDefinition', readConversionCallbacks),
    ...CLUSTER,
    ...REST,
    group: 'apiextensions.k8s.io',
  },
  {
    ...core('apiservices', 'APIService', readAggregationCallbacks),
    ...CLUSTER,
    ...REST,
    group: 'apiregistration.k8s.io',
  },
  { ...kept('authorizationpolicies', 'AuthorizationPolicy'), ...istio('security.istio.io', ['v1', 'v1beta1']) },
  { ...kept('ingresses', 'Ingress'), group: 'networking.k8s.io' },
  { ...kept('networkpolicies', 'NetworkPolicy'), group: 'networking.k8s.io' },
  { ...kept('servicemonitors', 'ServiceMonitor'), ...custom('monitoring.coreos.com', ['v1']) },
  { ...kept('podmonitors', 'PodMonitor'), ...custom('monitoring.coreos.com', ['v1']) },
  { ...kept('gatewayclasses', 'GatewayClass'), ...GATEWAY_API, ...CLUSTER },
  { ...kept('kubernetesgateways', 'Gateway'), ...GATEWAY_API, plural: 'gateways' },
  { ...kept('listenersets', 'ListenerSet'), ...GATEWAY_API },
  { ...kept('xlistenersets', 'XListenerSet'), ...custom('gateway.networking.x-k8s.io', ['v1alpha1']) },
  { ...kept('httproutes', 'HTTPRoute'), ...GATEWAY_API },
  { ...kept('grpcroutes', 'GRPCRoute'), ...GATEWAY_API },
  { ...kept('tlsroutes', 'TLSRoute'), ...GATEWAY_API },
  { ...kept('tcproutes', 'TCPRoute'), ...GATEWAY_API },
  { ...kept('telemetries', 'Telemetry'), ...istio('telemetry.istio.io', ['v1', 'v1alpha1']) },
]

function core<Name extends TableName>(table: Name, kind: string, read: Resource<Name>['read']): Resource<Name> {
  return {
    table,
    kind,
    group: '',
    versions: ['v1'],
    presence: 'always',
    scope: 'Namespaced',
    isForAdmission: true,
    read,
  }
}

function istio(group: string, versions: readonly string[]) {
  return { group, versions, presence: 'with-istio' } as const
}

function workload(table: (typeof WORKLOAD_TABLES)[number], kind: string, group: string): Resource {
  return { ...core(table, kind, (object) => readWorkload(kind, object)), group, isForAdmission: false }
}

function networking(table: (typeof NETWORKING_TABLES)[number], kind: string): Resource {
  const found = istio('networking.istio.io', ['v1', 'v1beta1'])
  return { ...core(table, kind, (object) => trimNetworking(kind, object)), ...found, isForAdmission: false }
}

/** A custom resource of another project. If it is absent, there are no objects. */
function custom(group: string, versions: readonly string[]) {
  return { group, versions, presence: 'with-istio' } as const
}

function kept(table: (typeof READINESS_TABLES)[number], kind: string): Resource {
  return { ...core(table, kind, (object) => trimNetworking(kind, object)), isForAdmission: false }
}

const BY_GROUP_KIND = new Map(RESOURCES.map((resource) => [`${resource.group}/${resource.kind}`, resource]))

/** Finds the resource of a manifest by group and kind, regardless of version. */
export function resourceOf(object: JsonObject): Resource | undefined {
  const apiVersion = stringMember(object, 'apiVersion') ?? ''
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return BY_GROUP_KIND.get(`${group}/${stringMember(object, 'kind') ?? ''}`)
}

export function rowKey({ scope }: Resource, object: JsonObject): RowKey {
  const metadata = metadataOf(object)
  const namespace = scope === 'Cluster' ? '' : (stringMember(metadata, 'namespace') ?? 'default')
  return { namespace, name: stringMember(metadata, 'name') ?? '' }
}

/** Adds the name label that the API server adds to every namespace. */
function readNamespace(object: JsonObject): Namespace {
  const name = stringMember(metadataOf(object), 'name') ?? ''
  return {
    name,
    labels: new Map(labelsOf(object)).set('kubernetes.io/metadata.name', name),
    annotations: stringMap(keepAnnotations(memberAt(object, 'metadata', 'annotations'))),
    isDeclared: true,
  }
}

function readMutatingConfiguration(object: JsonObject): MutatingConfiguration | Problem {
  const injection = readInjectionWebhooks(object)
  if ('problem' in injection) return injection
  return { injection, own: readOwnWebhooks(object), callbacks: readWebhookCallbacks(object) }
}

/** Returns undefined for an object that a controller made, other than a Pod: its owner represents it. */
function readWorkload(kind: string, object: JsonObject): WorkloadRow | undefined {
  const trimmed = trimWorkload(kind, object)
  return trimmed && readWorkloadRow(kind, object, trimmed)
}

function readIngressClass(object: JsonObject): IngressClass {
  return {
    controller: scalarText(memberAt(object, 'spec', 'controller')) ?? '',
    isDefault: annotationsOf(object).get('ingressclass.kubernetes.io/is-default-class') === 'true',
  }
}

/**
 * MeshPolicy and Policy of authentication.istio.io/v1alpha1. Istio 1.6 and later ignores them, so they never change a
 * mode, but leftovers are reported (docs/facts/mtls-modes.md#legacy-policies).
 */
function readLegacyPolicy(object: JsonObject): string {
  const reference = referenceTo(object)
  return describe(reference.kind === 'MeshPolicy' ? { ...reference, namespace: '' } : reference)
}
