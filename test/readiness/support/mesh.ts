// A mesh with one namespace, `shop`, and what surrounds it, for the tests of readiness.
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import { buildClusterState, isWithoutIstiosWebhooks } from '../../../src/cluster/cluster-state.ts'
import { assess, assumingStrict } from '../../../src/readiness/assess.ts'
import { buildEstate } from '../../../src/readiness/estate.ts'
import type { Finding } from '../../../src/readiness/finding.ts'
import { situationOf } from '../../../src/readiness/situation.ts'
import { judgeNamespaces, type NamespaceVerdict } from '../../../src/readiness/verdict.ts'
import { finish } from '../../../src/kubernetes/steps.ts'
import { DEFAULT_RULES } from '../../../src/rules/configuration.ts'
import type { ClusterState } from '../../../src/cluster/cluster-state.ts'
import { DEFAULT_INSTALL, istioInstall, namespaceObject, type InjectorValues } from '../../support/fixtures.ts'

export type Members = Record<string, Json>

/** Namespace `shop` is injected; Istio rewrites no probes, unless `values` says so. */
export function mesh(
  objects: readonly JsonObject[],
  values: InjectorValues = { rewriteAppHTTPProbe: false },
): ClusterState {
  const { state, problems } = buildClusterState(
    [
      ...istioInstall(DEFAULT_INSTALL, {}, values),
      namespaceObject('shop', { 'istio-injection': 'enabled' }),
      ...objects,
    ],
    { assumesIstio: isWithoutIstiosWebhooks },
  )
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return state
}

/** What is found with the namespace STRICT, or with the modes in force. */
export function find(state: ClusterState, strict: string | null = 'shop'): readonly Finding[] {
  const policies = strict === null ? state.policies : assumingStrict(state.policies, strict)
  return assess(situationOf(buildEstate(state), policies, DEFAULT_RULES))
}

export function codes(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ code }) => code)
}

export function verdictsOf(state: ClusterState): readonly NamespaceVerdict[] {
  return finish(judgeNamespaces(buildEstate(state), state.policies, DEFAULT_RULES))
}

export function verdictOf(state: ClusterState, namespace = 'shop'): NamespaceVerdict {
  const verdict = verdictsOf(state).find(({ name }) => name === namespace)
  if (verdict === undefined) throw new Error(`no verdict on ${namespace}`)
  return verdict
}

export interface DeploymentOptions {
  readonly namespace?: string
  readonly labels?: Members
  readonly annotations?: Members
  readonly spec?: Members
}

export function deployment(name: string, container: Members = {}, options: DeploymentOptions = {}): JsonObject {
  const { namespace = 'shop', labels, annotations = {}, spec } = options
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels }, annotations },
        spec: {
          ...spec,
          containers: [
            { name, image: `example.org/${name}:1`, ports: [{ name: 'http', containerPort: 8080 }], ...container },
          ],
        },
      },
    },
  }
}

/** A pod of that Deployment, as it runs. */
export function runningPod(
  name: string,
  container: Members,
  changes: { sidecar?: boolean; ip?: string; ips?: readonly string[]; namespace?: string; exclude?: string } = {},
): JsonObject {
  const { sidecar = true, ip = '10.1.0.1', ips = [ip], namespace = 'shop', exclude = '' } = changes
  const status = sidecar ? { 'sidecar.istio.io/status': '{"revision":"default"}' } : {}
  const init = {
    name: 'istio-init',
    args: [
      'istio-iptables',
      '-m',
      'REDIRECT',
      '-i',
      '*',
      '-x',
      '',
      '-b',
      '*',
      '-d',
      `15090,15021,15020${exclude === '' ? '' : `,${exclude}`}`,
    ],
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-5d9f-x2x`,
      namespace,
      labels: { app: name, 'pod-template-hash': '5d9f' },
      annotations: status,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-5d9f`, controller: true }],
    },
    spec: {
      ...(sidecar
        ? { initContainers: [init, { name: 'istio-proxy', restartPolicy: 'Always', args: ['proxy', 'sidecar'] }] }
        : {}),
      containers: [{ name, ports: [{ name: 'http', containerPort: 8080 }], ...container }],
    },
    status: { phase: 'Running', podIP: ip, podIPs: ips.map((address) => ({ ip: address })), hostIP: '192.168.0.9' },
  }
}

export function service(name: string, changes: Members = {}, port: Members = {}): JsonObject {
  const { namespace = 'shop', ...spec } = changes
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080, ...port }], ...spec },
  }
}

export function object(
  apiVersion: string,
  kind: string,
  name: string,
  members: Members,
  namespace: string | undefined = 'shop',
): JsonObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) }, ...members }
}

export const env = (name: string, value: string): Members => ({ env: [{ name, value }] })

export function destinationRule(host: string, spec: Members, namespace = 'shop'): JsonObject {
  return object('networking.istio.io/v1', 'DestinationRule', 'rule', { spec: { host, ...spec } }, namespace)
}
