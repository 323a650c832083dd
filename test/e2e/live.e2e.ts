// The cluster kept in view, against a real API server of its own that is stopped, started and compacted: the server as
// shipped, with the rights that the chart gives it and no others.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parse as parseYaml } from 'yaml'
import { createClusterApi } from '../../src/cluster/live/cluster-api.ts'
import { addressOfPod } from '../../src/cluster/live/pod-address.ts'
import { listOnce } from '../../src/cluster/live/list-once.ts'
import { resourcesFor, targetsOf } from '../../src/cluster/live/watch-target.ts'
import { RESOURCES } from '../../src/cluster/resources.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { DEFAULT_INSTALL, istioInstall, peerAuthentication } from '../support/fixtures.ts'
import { CLI, environment, PROBED, serve, until } from './support/serving.ts'

const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const execute = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-live-'))
t.teardown(async () => {
  await execute(here('hack/cluster/down'), [folder])
  rmSync(folder, { recursive: true, force: true })
})
const admin =
  (await execute(here('hack/cluster/up'), [folder, '--apiserver-flag=--client-ca-file=pki/ca.crt'])).stdout
    .trim()
    .split('\n')
    .at(-1) ?? ''
const apiserver = async (verb: 'start' | 'stop') => await execute(here('hack/cluster/apiserver'), [verb, folder])

async function kubectl(args: readonly string[], input?: JsonObject | readonly JsonObject[]): Promise<string> {
  const running = execute(join(folder, 'bin/kubectl'), ['--kubeconfig', admin, ...args])
  if (input !== undefined)
    running.child.stdin?.end(
      JSON.stringify(Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input),
    )
  return (await running).stdout
}

const apply = async (...objects: readonly JsonObject[]) => await kubectl(['apply', '-f', '-'], objects)

type Rule = Readonly<Record<'apiGroups' | 'resources' | 'verbs', readonly string[]>>

const rulesOf = (file: string) =>
  parseYaml(readFileSync(here(`charts/istio-onramp/files/${file}.yaml`), 'utf8')) as Rule[]
const CLUSTER_RULES = rulesOf('cluster-role-rules')
const CONTROL_PLANE_RULES = rulesOf('control-plane-role-rules')

/** A kubeconfig for a service account with these rights; `pod` is the folder that kubelet would give a pod of it. */
async function account(name: string, rules: readonly Rule[]) {
  const metadata = { name, namespace: 'default' }
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const subjects = [{ kind: 'ServiceAccount', ...metadata }]
  const inSystem = { name, namespace: 'istio-system' }
  const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
  await apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { ...rbac, kind: 'ClusterRole', metadata: { name }, rules: rules as unknown as JsonObject[] },
    { ...rbac, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: roleRef('ClusterRole'), subjects },
    { ...rbac, kind: 'Role', metadata: inSystem, rules: CONTROL_PLANE_RULES as unknown as JsonObject[] },
    { ...rbac, kind: 'RoleBinding', metadata: inSystem, roleRef: roleRef('Role'), subjects },
  )
  const token = (await kubectl(['create', 'token', name])).trim()
  const file = join(folder, `${name}.kubeconfig`)
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as { users: JsonObject[] }
  writeFileSync(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }))
  return { kubeconfig: file, token }
}

/** Of every kind under Istio's groups that is read, with any content; the schema is not what is tested here. */
function definition(
  group: string,
  kind: string,
  plural: string,
  versions: readonly string[],
  scope: 'Cluster' | 'Namespaced' = 'Namespaced',
): JsonObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // Groups of Kubernetes itself need it, Gateway API's among them; any URL will do.
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'https://example.org/' } },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: versions.map((name, index) => ({ name, served: true, storage: index === 0, schema })),
    },
  }
}

const POLICY_DEFINITION = definition('security.istio.io', 'PeerAuthentication', 'peerauthentications', ['v1'])
const strict = peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } })

async function defineEverything(): Promise<void> {
  const absent = RESOURCES.filter(({ presence }) => presence === 'with-istio')
  const made = absent.map(({ group, kind, table, plural, versions, scope }) =>
    definition(group, kind, plural ?? table, versions, scope),
  )
  await apply(...made)
  await kubectl(['wait', '--for=condition=Established', ...made.map((one) => `crd/${nameOf(one)}`)])
  // The first list of an established kind can still be answered with "storage is (re)initializing".
  for (const one of made) await until(`${nameOf(one)} is served`, () => isListed(nameOf(one)))
}

async function isListed(resource: string): Promise<boolean> {
  return await kubectl(['get', resource, '--all-namespaces', '-o', 'name']).then(
    () => true,
    () => false,
  )
}

function nameOf(object: JsonObject): string {
  return (object['metadata'] as { name: string }).name
}

await apply(
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } },
)
await kubectl(['create', '--validate=false', '-f', '-'], istioWebhooks())

/** Istio's selectors; nobody answers at the address, and nothing here creates a pod. */
function istioWebhooks(): readonly JsonObject[] {
  const objects = istioInstall(DEFAULT_INSTALL, {}, { rewriteAppHTTPProbe: false })
  return objects.map((object) =>
    object['kind'] !== 'MutatingWebhookConfiguration'
      ? object
      : {
          ...object,
          webhooks: (object['webhooks'] as unknown as JsonObject[]).map((webhook) => ({
            ...webhook,
            clientConfig: { url: 'https://127.0.0.1:9/inject' },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          })),
        },
  )
}

const { kubeconfig, token } = await account('onramp', CLUSTER_RULES)

t.test('a definition that is absent, appears, disappears and appears again', async (t) => {
  const serving = await serve(t, kubeconfig)
  await until('ready without it', () => serving.isReady())
  t.equal(await serving.isRewritten(), false)
  for (let round = 0; round < 2; round++) {
    await apply(POLICY_DEFINITION)
    await kubectl(['wait', '--for=condition=Established', `crd/${nameOf(POLICY_DEFINITION)}`])
    await apply(strict)
    await until('STRICT is known', () => serving.isRewritten())
    await kubectl(['delete', 'crd', nameOf(POLICY_DEFINITION)])
    await until('STRICT is forgotten', async () => !(await serving.isRewritten()))
  }
})

t.test('the ClusterRole is what the kinds that are read need, and no more', async (t) => {
  const needed = RESOURCES.filter((resource) => resource.isControlPlane !== true).map(
    ({ group, table, plural = table }) => `${group}/${plural}`,
  )
  const granted = CLUSTER_RULES.flatMap(({ apiGroups, resources }) =>
    apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`)),
  )
  t.same(granted.toSorted(), needed.toSorted())
  t.same(new Set([...CLUSTER_RULES, ...CONTROL_PLANE_RULES].flatMap(({ verbs }) => verbs)), new Set(['list', 'watch']))
})

t.test('with it everything is read and nothing is forbidden; a missing right is logged', async (t) => {
  await defineEverything()
  const serving = await serve(t, kubeconfig)
  await until('all is read', () => serving.lines.some(({ msg }) => msg === 'the cluster has been read'))
  t.same(serving.failures(), [])
  t.equal(await serving.isReady(), true)

  const withoutNodes = CLUSTER_RULES.map((rule) => ({
    ...rule,
    resources: rule.resources.filter((one) => one !== 'nodes'),
  }))
  const poorer = await serve(t, (await account('poorer', withoutNodes)).kubeconfig)
  await until('it is said', () => poorer.failures().length > 1)
  t.match(poorer.failures()[0], {
    resource: 'nodes',
    error: /nodes is forbidden: User "system:serviceaccount:default:poorer" cannot list/,
  })
  t.equal(await poorer.isReady(), false, 'no decision is right without them')
})

t.test("a pod's service account reads the same, by the files that kubelet keeps", async (t) => {
  const ca = readFileSync(join(folder, 'pki/ca.crt'), 'utf8')
  const mount = t.testdir({ token: `${token}\n`, 'ca.crt': ca, namespace: 'onramp' })
  const port = readFileSync(join(folder, 'ports'), 'utf8').trim()
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port }
  const api = createClusterApi(await addressOfPod(mount, environment))
  t.equal(api.namespace, 'onramp')
  const { state } = await listOnce(api, targetsOf(resourcesFor('all'), ['istio-system']), () => undefined)
  t.equal(state.namespace('shop').labels.get('istio-injection'), 'enabled')
  writeFileSync(join(mount, 'token'), 'nonsense')
  await t.rejects(
    listOnce(api, targetsOf(resourcesFor('admission'), []), () => undefined),
    /Unauthorized/,
  )
})

t.test(
  'the API server goes and comes back, its history compacted: the known state stays in force, changes are seen, ready all along',
  async (t) => {
    await apply(strict)
    const serving = await serve(t, kubeconfig)
    await until('STRICT is known', () => serving.isRewritten())
    await apiserver('stop')
    await until('its absence is noticed', () => serving.failures().length > 0)
    t.equal(await serving.isRewritten(), true, 'what was known stays in force')
    t.equal(await serving.isReady(), true)
    await until('it is counted', async () => (await serving.metric('failures_total', 'services')) > 0)
    await compact()
    await apiserver('start')
    await kubectl(['delete', 'peerauthentication', '-n', 'shop', 'default'])
    await until('the change is seen', async () => !(await serving.isRewritten()))
    await apply(strict)
    await until('and the next', () => serving.isRewritten())
    await until(
      'every kind is heard of again',
      async () => (await serving.metric('contact_age_seconds', 'services')) < 65,
    )
  },
)

/** Drops all history from etcd, so that no watch can go on from where it was. */
async function compact(): Promise<void> {
  const etcd = `http://127.0.0.1:${Number(readFileSync(join(folder, 'ports'), 'utf8')) + 1}/v3/kv`
  const post = async (path: string, body: object) => {
    const response = await fetch(`${etcd}/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return (await response.json()) as { header: { revision: string } }
  }
  // Something has to be newer than what was watched: the kinds' own last versions are what expires.
  for (const value of ['MQ==', 'Mg==']) await post('put', { key: 'L3Rlc3Q=', value })
  const { header } = await post('range', { key: 'L3Rlc3Q=' })
  await post('compaction', { revision: header.revision, physical: true })
}

t.test('preview reads the real cluster once, with a client certificate as well', async (t) => {
  await apply(strict)
  const file = join(t.testdir({ 'pod.json': JSON.stringify(PROBED) }), 'pod.json')
  const preview = async (config: string, ...args: readonly string[]) => {
    const env = environment(config)
    const { stdout } = await execute(process.execPath, [CLI, 'preview', '-f', file, '-o', 'json', ...args], { env })
    return JSON.parse(stdout) as JsonObject[]
  }
  const rewritten = [{ allowed: true, decisions: [{ rule: 'probes', action: 'annotate', strategy: 'agent' }] }]
  t.match(await preview(kubeconfig, '--context', 'cluster'), rewritten)
  t.match(await preview(await withCertificate(t)), rewritten)
})

/** A kubeconfig whose user has a certificate instead of a token. */
async function withCertificate(t: Test): Promise<string> {
  const at = t.testdirName
  const pki = (file: string) => join(folder, 'pki', file)
  await execute('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/O=system:masters/CN=somebody', '-CA', pki('ca.crt'), '-CAkey', pki('ca.key')],
    ...['-addext', 'basicConstraints=CA:FALSE', '-keyout', join(at, 'key.pem'), '-out', join(at, 'cert.pem')],
  ])
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as JsonObject
  const user = { 'client-certificate': 'cert.pem', 'client-key': 'key.pem' }
  const file = join(at, 'certificate.kubeconfig')
  writeFileSync(file, JSON.stringify({ ...config, users: [{ name: 'admin', user }] }))
  return file
}
