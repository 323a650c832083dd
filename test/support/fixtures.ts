// Objects that many tests need: an Istio install as its chart renders it, namespaces, policies, pods.
import { stringify } from 'yaml'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { buildClusterState, type ClusterState } from '../../src/cluster/cluster-state.ts'
import { DEFAULT_RULES, type RuleConfiguration } from '../../src/rules/configuration.ts'
import type { RuleContext } from '../../src/rules/rule.ts'

export interface Install {
  readonly controlPlanes: readonly { readonly revision: string; readonly tags: readonly string[] }[]
  readonly enableNamespacesByDefault: boolean
}

export interface InjectorValues {
  readonly rewriteAppHTTPProbe?: boolean
  readonly statusPort?: number
  readonly tag?: string
  readonly templates?: JsonObject
  readonly defaultTemplates?: readonly string[]
  readonly cni?: boolean
  readonly proxy?: JsonObject
  readonly mesh?: JsonObject
}

const expression = (key: string, operator: string, ...values: string[]): JsonObject =>
  values.length === 0 ? { key, operator } : { key, operator, values }
const entry = (prefix: string, namespace: readonly JsonObject[], pod: readonly JsonObject[]): JsonObject => ({
  name: `${prefix}sidecar-injector.istio.io`,
  namespaceSelector: { matchExpressions: namespace },
  objectSelector: { matchExpressions: pod },
})

const REV = 'istio.io/rev'
const INJECTION = 'istio-injection'
const INJECT = 'sidecar.istio.io/inject'

/** The entries of templates/mutatingwebhook.yaml and revision-tags-mwc.yaml for a revision or tag. */
function webhooksFor(name: string, isDefault: boolean, byDefault: boolean): readonly JsonObject[] {
  const none = [expression(INJECTION, 'DoesNotExist'), expression(REV, 'DoesNotExist')]
  const notOut = expression(INJECT, 'NotIn', 'false')
  const always = [
    entry('rev.namespace.', [expression(REV, 'In', name), expression(INJECTION, 'DoesNotExist')], [notOut]),
    entry('rev.object.', none, [notOut, expression(REV, 'In', name)]),
  ]
  if (!isDefault) return always
  const system = expression(
    'kubernetes.io/metadata.name',
    'NotIn',
    'kube-system',
    'kube-public',
    'kube-node-lease',
    'local-path-storage',
  )
  return [
    ...always,
    entry('namespace.', [expression(INJECTION, 'In', 'enabled')], [notOut]),
    entry('object.', none, [expression(INJECT, 'In', 'true'), expression(REV, 'DoesNotExist')]),
    ...(byDefault
      ? [entry('auto.', [...none, system], [expression(INJECT, 'DoesNotExist'), expression(REV, 'DoesNotExist')])]
      : []),
  ]
}

export function istioInstall(
  install: Install,
  injectorConfig: JsonObject = {},
  values: InjectorValues = {},
): readonly JsonObject[] {
  return install.controlPlanes.flatMap(({ revision, tags }) => {
    const name = revision === '' ? 'default' : revision
    const suffix = revision === '' ? '' : `-${revision}`
    const configuration = (title: string, selects: string, isDefault: boolean): JsonObject => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: title, labels: { app: 'sidecar-injector', [REV]: name } },
      webhooks: webhooksFor(selects, isDefault, install.enableNamespacesByDefault),
    })
    return [
      configuration(`istio-sidecar-injector${suffix}`, name, revision === ''),
      ...tags.map((tag) => configuration(`istio-revision-tag-${tag}`, tag, tag === 'default')),
      ...configMaps(name, suffix, injectorConfig, values),
    ]
  })
}

function configMaps(
  revision: string,
  suffix: string,
  injectorConfig: JsonObject,
  values: InjectorValues,
): readonly JsonObject[] {
  const metadata = (name: string): JsonObject => ({
    name: name + suffix,
    namespace: 'istio-system',
    labels: { [REV]: revision },
  })
  const config = {
    defaultTemplates: values.defaultTemplates ?? ['sidecar'],
    policy: 'enabled',
    ...(values.templates === undefined ? {} : { templates: values.templates }),
    ...injectorConfig,
  }
  const mesh = {
    rootNamespace: 'istio-system',
    defaultConfig: { statusPort: values.statusPort ?? 15020 },
    ...values.mesh,
  }
  const chart = {
    global: { ...(values.tag === undefined ? {} : { tag: values.tag }), proxy: { statusPort: 15020, ...values.proxy } },
    pilot: { cni: { enabled: values.cni ?? false } },
    sidecarInjectorWebhook: { rewriteAppHTTPProbe: values.rewriteAppHTTPProbe ?? true },
  }
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('istio'), data: { mesh: stringify(mesh) } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('istio-sidecar-injector'),
      data: { config: stringify(config), values: JSON.stringify(chart) },
    },
  ]
}

export const DEFAULT_INSTALL: Install = {
  controlPlanes: [{ revision: '', tags: [] }],
  enableNamespacesByDefault: false,
}

export function namespaceObject(name: string, labels: JsonObject = {}, annotations: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } }
}

export function peerAuthentication(namespace: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata: { namespace, name }, spec }
}

/** Namespace `shop` injected by the default install and STRICT; nothing is known of Istio's probe rewriting. */
export function strictShop(annotations: JsonObject = {}, ...more: readonly JsonObject[]): ClusterState {
  const { state, problems } = buildClusterState([
    namespaceObject('shop', { 'istio-injection': 'enabled' }, annotations),
    peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } }),
    ...more,
  ])
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return state
}

export function contextOf(mesh: ClusterState, changes: Partial<RuleConfiguration> = {}): RuleContext {
  return { mesh, configuration: { ...DEFAULT_RULES, ...changes } }
}

export const HTTP_PROBE: JsonObject = { httpGet: { path: '/healthz', port: 8080 } }

export function container(name: string, members: Record<string, Json>): JsonObject {
  return { name, image: `example.com/${name}:1`, ...members }
}

export function pod(
  containers: readonly JsonObject[],
  changes: { metadata?: JsonObject; spec?: JsonObject } = {},
): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, ...changes.metadata },
    spec: { ...changes.spec, containers },
  }
}

/** A workload of a kind around a pod template. */
export function workload(
  kind: string,
  containers: readonly JsonObject[],
  changes: { metadata?: JsonObject; template?: JsonObject } = {},
): JsonObject {
  const template = { metadata: { labels: { app: 'web' } }, ...changes.template, spec: { containers } }
  const group = kind === 'Job' || kind === 'CronJob' ? 'batch/v1' : kind === 'ReplicationController' ? 'v1' : 'apps/v1'
  return {
    apiVersion: group,
    kind,
    metadata: { name: 'web', namespace: 'shop', ...changes.metadata },
    spec: kind === 'CronJob' ? { schedule: '@daily', jobTemplate: { spec: { template } } } : { template },
  }
}
