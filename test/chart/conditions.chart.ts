// The chart in a real API server: what the conditions of its webhooks let through. hack/chart/test starts the API server.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { NAMESPACE } from '../support/api-server/helm.ts'
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
import { createNamespace, done, kubectl } from '../support/api-server/kubectl.ts'

const { cert, key } = SERVING
for (const name of [NAMESPACE, 'istio-system', 'istio-canary']) await createNamespace(name)

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
