// The chart in a real API server: installed, upgraded and taken away again in each mode, and what its conditions let
// through. hack/chart/test starts the API server.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { CI_VALUES, NAMESPACE, render } from '../support/api-server/helm.ts'
import {
  HOOKED,
  ingress,
  install,
  backend,
  job,
  OWNED,
  pod,
  PROBED,
  route,
  serverAt,
  SERVING,
  solver,
  workload,
} from '../support/api-server/objects.ts'
import { createNamespace, done, kubectl, release, uninstall } from '../support/api-server/kubectl.ts'

const { cert, key, ca } = SERVING
const OURS = [
  'deployment,service,configmap,serviceaccount,poddisruptionbudget,role,rolebinding,clusterrole,clusterrolebinding',
  'issuer.cert-manager.io,certificate.cert-manager.io,mutatingwebhookconfiguration,validatingwebhookconfiguration',
  'validatingadmissionpolicy,validatingadmissionpolicybinding,networkpolicy,horizontalpodautoscaler,priorityclass',
  'flowschema,prioritylevelconfiguration,servicemonitor.monitoring.coreos.com,prometheusrule.monitoring.coreos.com',
].join(',')

for (const name of [NAMESPACE, 'istio-system', 'istio-canary']) await createNamespace(name)
const OPERATOR = ['ServiceMonitor', 'PrometheusRule'].map(operatorKind)
await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: OPERATOR })
await done(['wait', '--for=condition=Established', ...OPERATOR.map(({ metadata }) => `crd/${metadata.name}`)])

/** A kind of the Prometheus operator, with any content: whether it accepts the content is Prometheus' to say. */
function operatorKind(kind: string) {
  const singular = kind.toLowerCase()
  const group = 'monitoring.coreos.com'
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural: `${singular}s`, singular },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}

async function ours(): Promise<string> {
  return await done(['get', OURS, '-A', '-l', 'app.kubernetes.io/instance=onramp', '-o', 'name'])
}

t.test('each mode installs, upgrades with other values, and leaves nothing behind', async (t) => {
  for (const file of CI_VALUES) {
    t.match(release('install', {}, [file]), /STATUS: deployed/, basename(file))
    t.match(await ours(), /deployment\.apps\//, basename(file))
    release('upgrade', { revisionHistoryLimit: 4, config: { logLevel: 'trace' } }, [file])
    const deployments = JSON.parse(await done(['get', 'deployment', '-n', NAMESPACE, '-o', 'json'])) as Json
    t.equal(memberAt(arrayMember(deployments, 'items')[0], 'spec', 'revisionHistoryLimit'), 4)
    uninstall()
    t.equal(await ours(), '', basename(file))
  }
})

t.test('server-side apply takes over what was created without it: no atomic field lacks a default', async (t) => {
  for (const file of CI_VALUES) {
    const objects = render({ files: [file] })
    const list = { apiVersion: 'v1', kind: 'List', items: objects as unknown as JsonObject[] }
    await done(['create', '-f', '-'], list)
    const { status, stderr } = await kubectl(['apply', '--server-side', '--field-manager=helm', '-f', '-'], list)
    t.equal(status, 0, `${basename(file)}: ${stderr}`)
    await done(['delete', '--wait', '-f', '-'], list)
  }
})

t.test('the bundle that cainjector fills in survives an upgrade', async (t) => {
  t.teardown(() => uninstall())
  release('install', {})
  const caBundle = Buffer.from(ca).toString('base64')
  const patch = JSON.stringify([{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: caBundle }])
  await done(['patch', 'mutatingwebhookconfiguration', 'istio-onramp', '--type=json', '-p', patch])
  release('upgrade', { webhooks: { pods: { timeoutSeconds: 9 } } })
  const path = '{.webhooks[0].clientConfig.caBundle} {.webhooks[0].timeoutSeconds}'
  const stored = await done(['get', 'mutatingwebhookconfiguration', 'istio-onramp', '-o', `jsonpath=${path}`])
  t.equal(stored, `${caBundle} 9`)
})

/** A webhook that admits everything and notes what it was asked about, as `KIND/NAME OPERATION`. */
async function startRecorder(t: Test) {
  const asked: string[] = []
  const server = createServer({ cert, key }, (request, response) => {
    void text(request).then((body) => {
      const review = JSON.parse(body) as Json
      const about = memberAt(review, 'request')
      const [kind, name, operation] = [['kind', 'kind'], ['name'], ['operation']].map((path) =>
        memberAt(about, ...path),
      )
      asked.push(`${String(kind)}/${String(name)} ${String(operation)} ${String(request.url).split('?')[0] ?? ''}`)
      const answer = { uid: memberAt(about, 'uid'), allowed: true }
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, taken: (): readonly string[] => asked.splice(0) }
}

// Everything is Fail here, so that an expression that errs is an error and not, as under Ignore, a skip without a trace.
t.test('the conditions let through what the server has to see, and nothing else', async (t) => {
  const recorder = await startRecorder(t)
  await createNamespace('shop', { 'istio-injection': 'enabled' })
  const fails = { failurePolicy: 'Fail' }
  const webhooks = { pods: fails, templates: fails, ingress: fails }
  await install(t, serverAt(recorder.port, { webhooks, ingressPolicy: { enabled: false } }))

  const created = '/mutate'
  const rows: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    ['a pod without probe or hook', pod('bare', {}), []],
    ['a pod with a probe', pod('probed', { containers: [PROBED] }), ['Pod/probed CREATE /mutate']],
    ['a pod with a hook', pod('hooked', { containers: [HOOKED] }), ['Pod/hooked CREATE /mutate']],
    [
      'a probe in an init container',
      pod('init', { initContainers: [{ ...PROBED, name: 'init', restartPolicy: 'Always' }] }),
      ['Pod/init CREATE /mutate'],
    ],
    ['the host network', pod('host', { containers: [PROBED], hostNetwork: true }), []],
    ['a mirror pod', pod('mirror', { containers: [PROBED], nodeName: 'n' }, mirror()), []],
    [
      'an annotation of another kind',
      pod('noted', { containers: [PROBED] }, { annotations: { a: 'b' } }),
      ['Pod/noted CREATE /mutate'],
    ],
    ['Deployment', workload('apps/v1', 'Deployment', 'web'), [`Deployment/web CREATE ${created}`]],
    ['StatefulSet', workload('apps/v1', 'StatefulSet', 'db'), [`StatefulSet/db CREATE ${created}`]],
    ['DaemonSet', workload('apps/v1', 'DaemonSet', 'agent'), [`DaemonSet/agent CREATE ${created}`]],
    ['ReplicaSet of its own', workload('apps/v1', 'ReplicaSet', 'own'), [`ReplicaSet/own CREATE ${created}`]],
    ['ReplicaSet of a Deployment', workload('apps/v1', 'ReplicaSet', 'owned', OWNED), []],
    [
      'ReplicationController',
      workload('v1', 'ReplicationController', 'rc'),
      [`ReplicationController/rc CREATE ${created}`],
    ],
    ['Job', job('Job', 'once'), [`Job/once CREATE ${created}`]],
    ['CronJob', job('CronJob', 'nightly'), [`CronJob/nightly CREATE ${created}`]],
    ['a label of the Deployment', workload('apps/v1', 'Deployment', 'web', { labels: { a: 'b' } }), []],
    ['its image', workload('apps/v1', 'Deployment', 'web', {}, 'a:2'), [`Deployment/web UPDATE ${created}`]],
    ['the image of the owned ReplicaSet', workload('apps/v1', 'ReplicaSet', 'owned', OWNED, 'a:2'), []],
    [
      'a label of the CronJob',
      { ...job('CronJob', 'nightly'), metadata: { name: 'nightly', namespace: 'shop', labels: { a: 'b' } } },
      [],
    ],
    ['its schedule', job('CronJob', 'nightly', 'a:1', '5 * * * *'), []],
    ['its image', job('CronJob', 'nightly', 'a:2', '5 * * * *'), [`CronJob/nightly UPDATE ${created}`]],
    ['an Ingress', ingress('shop', 'web', {}), ['Ingress/web CREATE /mutate', 'Ingress/web CREATE /validate']],
    ['an ACME solver', solver('shop', 'cm-acme', {}), []],
    [
      'the label of one with another path',
      solver('shop', 'bypass', { rules: [route('web', '/')] }),
      ['Ingress/bypass CREATE /mutate', 'Ingress/bypass CREATE /validate'],
    ],
    [
      'the label of one with a path that is absent',
      solver('shop', 'pathless', { rules: [route('web', undefined, 'ImplementationSpecific')] }),
      ['Ingress/pathless CREATE /mutate', 'Ingress/pathless CREATE /validate'],
    ],
    [
      'the label of one with a default backend',
      solver('shop', 'default', { defaultBackend: backend('web') }),
      ['Ingress/default CREATE /mutate', 'Ingress/default CREATE /validate'],
    ],
  ]
  for (const [title, given, expected] of rows) {
    const { status, stderr } = await kubectl(['apply', '-f', '-'], given)
    t.equal(status, 0, `${title}: ${stderr}`)
    t.same(recorder.taken().toSorted(), expected, title)
  }
  await done(['scale', 'deployment/web', '-n', 'shop', '--replicas=3'])
  t.same(recorder.taken(), [], 'scaling')
  await done(['delete', 'ingress/web', '-n', 'shop'])
  t.same(recorder.taken(), [], 'deletion')
  await done(['apply', '-f', '-'], {
    ...pod('elsewhere', { containers: [PROBED] }),
    metadata: { name: 'elsewhere', namespace: 'istio-system' },
  })
  t.same(recorder.taken(), [], 'an excluded namespace')
})

function mirror(): JsonObject {
  return { annotations: { 'kubernetes.io/config.mirror': 'x' } }
}
