// What happens to workloads and pods that are created, applied and changed with kubectl while the webhook is there.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppsV1Api, type V1Deployment } from '@kubernetes/client-node'
import t, { type Test } from 'tap'
import { memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { connect } from '../support/api-server/client.ts'
import { CONFIGURATION } from '../support/api-server/helm.ts'
import { done, kubectl } from '../support/api-server/kubectl.ts'
import { auditMark, auditSince, callsOf, nameOfEvent, patchesOf } from './support/audit.ts'
import {
  CONTAINER,
  handlerOf,
  isTouched,
  KINDS,
  ownerOf,
  pod,
  receiptOf,
  workload,
  type Kind,
} from './support/manifests.ts'
import { meshNamespace, QUICK, standUp, until } from './support/stand.ts'

const stand = await standUp()
const begin = auditMark()
const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]
const PLURALS = 'deployments,statefulsets,daemonsets,replicasets,replicationcontrollers,jobs,cronjobs'

async function list(namespace: string, kinds: string): Promise<readonly JsonObject[]> {
  const { items } = JSON.parse(await done(['get', kinds, '-n', namespace, '-o', 'json'])) as { items: JsonObject[] }
  return items
}

async function get(namespace: string, name: string): Promise<JsonObject> {
  return JSON.parse(await done(['get', name, '-n', namespace, '-o', 'json'])) as JsonObject
}

function applied(objects: readonly JsonObject[]): JsonObject {
  return { apiVersion: 'v1', kind: 'List', items: objects }
}

/** Every kind named after itself, so that none adopts the pods of another. */
function eachKind(namespace: string, annotations?: JsonObject): readonly JsonObject[] {
  return ALL_KINDS.map((kind) => {
    const object = workload(
      kind,
      { name: kind.toLowerCase(), namespace },
      annotations === undefined ? {} : { annotations },
    )
    return JSON.parse(JSON.stringify(object).replaceAll('"app":"web"', `"app":"${kind}"`)) as JsonObject
  })
}

const KEPT = 'httpGet 8080'
const EXEC = 'exec prober'
interface Row {
  readonly namespace: string
  readonly settings: JsonObject
  readonly annotations?: JsonObject
  /** What the liveness probe of a stored template does, and of the pods that controllers make of it. */
  readonly template: string
  readonly pods: string
  readonly warning: RegExp
}
const OWN_PORT = { 'istio-onramp.io/probe-port': '9090', 'traffic.sidecar.istio.io/excludeInboundPorts': '9090' }
const REWRITTEN = '2 probes rewritten'
const POSTPONED = '2 probes will be rewritten when its pods are created; the template is stored unchanged'
const ROWS: readonly Row[] = [
  {
    namespace: 'kinds-auto',
    settings: {},
    template: KEPT,
    pods: EXEC,
    warning: new RegExp(
      `${POSTPONED}: app livenessProbe \\(exec\\), app readinessProbe \\(exec\\) \\[istio-onramp/at-pod-creation\\]`,
    ),
  },
  {
    namespace: 'kinds-port',
    settings: { 'istio-onramp.io/probes': 'port' },
    annotations: OWN_PORT,
    template: 'httpGet 9090',
    pods: 'httpGet 9090',
    warning: new RegExp(
      `${REWRITTEN}: app livenessProbe \\(port\\), app readinessProbe \\(port\\) \\[istio-onramp/strict-mtls\\]`,
    ),
  },
  {
    namespace: 'kinds-rewrite',
    settings: { 'istio-onramp.io/templates': 'rewrite' },
    template: EXEC,
    pods: EXEC,
    warning: new RegExp(
      `${REWRITTEN}: app livenessProbe \\(exec\\), app readinessProbe \\(exec\\) \\[istio-onramp/strict-mtls\\]`,
    ),
  },
  {
    namespace: 'kinds-leave',
    settings: { 'istio-onramp.io/templates': 'leave' },
    template: KEPT,
    pods: EXEC,
    warning: new RegExp(`${POSTPONED}: .* \\[istio-onramp/template-left\\]`),
  },
]

t.test('each kind of workload is stored, and its pods are made, as the setting of its templates says', async (t) => {
  for (const { namespace, settings, annotations, template, pods, warning } of ROWS) {
    await meshNamespace(namespace, settings)
    const { status, stderr } = await kubectl(['apply', '-f', '-'], applied(eachKind(namespace, annotations)))
    t.equal(status, 0, stderr)
    const warned = stderr.split('\n').filter((line) => line.startsWith('Warning: '))
    t.equal(warned.length, ALL_KINDS.length, `${namespace}: one line for each object, ${stderr}`)
    for (const kind of ALL_KINDS) {
      const line = warned.find((text) => text.startsWith(`Warning: ${kind} ${namespace}/${kind.toLowerCase()}: `))
      t.match(line ?? '', warning)
    }
    const stored = (await list(namespace, PLURALS)).filter((object) => ownerOf(object) === undefined)
    t.equal(stored.length, ALL_KINDS.length)
    for (const object of stored) {
      const title = `${namespace} ${String(object['kind'])}`
      t.equal(handlerOf(object), template, title)
      t.equal(isTouched(object), template !== KEPT, `${title}: the template of the user, or ours with its receipt`)
    }
    await checkPods(t, namespace, pods)
  }
})

/** One pod for every kind but the CronJob, from whose template a Job of its own is made here. */
async function checkPods(t: Test, namespace: string, expected: string): Promise<void> {
  await done(['create', 'job', 'manual', '--from=cronjob/cronjob', '-n', namespace])
  const job = await get(namespace, 'job/manual')
  const cron = await get(namespace, 'cronjob/cronjob')
  t.equal(handlerOf(job), handlerOf(cron), 'the template of a Job that a CronJob owns is the one of the CronJob')
  let pods: readonly JsonObject[] = []
  await until(`pods of every kind in ${namespace}`, async () => {
    pods = await list(namespace, 'pods')
    return pods.length >= ALL_KINDS.length
  })
  t.same(
    pods.map(ownerOf).toSorted(),
    ['DaemonSet', 'Job', 'Job', 'ReplicaSet', 'ReplicaSet', 'ReplicationController', 'StatefulSet'],
    namespace,
  )
  for (const created of pods) {
    const title = `${namespace}: pod of a ${String(ownerOf(created))}`
    t.equal(handlerOf(created, 'livenessProbe'), expected, title)
    t.equal(handlerOf(created, 'readinessProbe'), expected, title)
    t.same(Object.keys(receiptOf(created)?.['app'] ?? {}), ['livenessProbe', 'readinessProbe'], title)
  }
}

t.test('applied again nothing changes: no drift, no rollout, no second ReplicaSet', async (t) => {
  for (const { namespace, annotations, template } of ROWS) {
    const objects = applied(eachKind(namespace, annotations))
    const before = await generations(namespace)
    const { stdout, stderr } = await kubectl(['apply', '-f', '-'], objects)
    // A template that holds an exec in the place of a httpGet is sent back by every apply, and changed back on the way.
    const verb = template === KEPT ? 'unchanged' : 'configured'
    const merged = template === EXEC ? verb : /unchanged|configured/
    for (const line of stdout.trim().split('\n')) t.match(line, merged, `${namespace}: ${line} ${stderr}`)
    const diff = await kubectl(['diff', '-f', '-'], objects)
    t.same([diff.status, diff.stdout], [0, ''], `${namespace}: ${diff.stderr}`)
    t.same(await generations(namespace), before, `${namespace}: no generation is a new one`)
  }
})

async function generations(namespace: string): Promise<readonly string[]> {
  return (await list(namespace, PLURALS)).map(
    (object) => `${String(memberAt(object, 'metadata', 'name'))} ${String(memberAt(object, 'metadata', 'generation'))}`,
  )
}

t.test('server-side apply: once, again, and by a second owner', async (t) => {
  await meshNamespace('server-side')
  await meshNamespace('server-side-rewrite', { 'istio-onramp.io/templates': 'rewrite' })
  for (const [namespace, expected] of [
    ['server-side', KEPT],
    ['server-side-rewrite', EXEC],
  ] as const) {
    const object = workload('Deployment', { name: 'web', namespace })
    for (const round of ['first', 'second', 'third']) {
      await done(['apply', '--server-side', '-f', '-'], object)
      const stored = await get(namespace, 'deployment/web')
      t.equal(handlerOf(stored), expected, `${namespace}, ${round} time`)
      t.equal(memberAt(stored, 'metadata', 'generation'), 1, `${namespace}, ${round} time`)
    }
    await done(['apply', '--server-side', '--field-manager=platform', '-f', '-'], {
      ...workload('Deployment', { name: 'web', namespace, labels: { team: 'shop' } }),
      spec: { replicas: 2 },
    })
    t.equal(handlerOf(await get(namespace, 'deployment/web')), expected, 'another manager of other fields')
  }
})

t.test('what does not change the template is not asked about, and what does is asked about once', async (t) => {
  const namespace = 'changes'
  await meshNamespace(namespace)
  await done(['apply', '-f', '-'], workload('Deployment', { name: 'web', namespace }))
  await until('the ReplicaSet', async () => (await list(namespace, 'replicasets')).length === 1)
  const asHpa = ['--as=system:serviceaccount:kube-system:horizontal-pod-autoscaler', '--as-group=system:masters']
  const merge = (patch: JsonObject): readonly string[] => ['--type=merge', '-p', JSON.stringify(patch)]
  const rows: readonly (readonly [string, readonly string[], number])[] = [
    ['scale', ['scale', '--replicas=3', 'deployment/web'], 0],
    ['an autoscaler', [...asHpa, 'scale', '--replicas=5', 'deployment/web'], 0],
    ['an autoscaler that patches', [...asHpa, 'patch', 'deployment/web', ...merge({ spec: { replicas: 4 } })], 0],
    ['label', ['label', 'deployment/web', 'a=b'], 0],
    ['annotate', ['annotate', 'deployment/web', 'a=b'], 0],
    ['status', ['patch', 'deployment/web', '--subresource=status', ...merge({ status: { observedGeneration: 9 } })], 0],
    ['pause', ['rollout', 'pause', 'deployment/web'], 0],
    ['resume', ['rollout', 'resume', 'deployment/web'], 0],
    ['image', ['set', 'image', 'deployment/web', 'app=example.org/app:2'], 1],
    ['environment', ['set', 'env', 'deployment/web', 'A=b'], 1],
    ['restart', ['rollout', 'restart', 'deployment/web'], 1],
    ['undo', ['rollout', 'undo', 'deployment/web'], 1],
  ]
  for (const [title, args, calls] of rows) {
    const mark = auditMark()
    await done([...args, '-n', namespace])
    const events = auditSince(mark).filter(
      ({ objectRef }) => objectRef?.resource === 'deployments' && objectRef.namespace === namespace,
    )
    const ours = events.flatMap(callsOf).filter((call) => call.includes('istio-onramp.io'))
    t.equal(ours.length, calls, `${title}: ${ours.join()}`)
    t.same(events.flatMap(patchesOf), [], `${title}: nothing of the user's own Deployment is changed`)
  }
  t.equal(handlerOf(await get(namespace, 'deployment/web')), KEPT)
})

t.test(
  'a dry run shows what would be stored and stores nothing; names may be generated, namespaces implied',
  async (t) => {
    const namespace = 'names'
    await meshNamespace(namespace)
    const dry = JSON.parse(
      await done(['create', '--dry-run=server', '-o', 'json', '-f', '-'], pod({ name: 'dry', namespace })),
    ) as Json
    t.equal(handlerOf(dry), EXEC)
    t.match((await kubectl(['get', 'pod/dry', '-n', namespace])).stderr, /NotFound/)

    const generated = await kubectl(['create', '-o', 'json', '-f', '-'], pod({ generateName: 'web-', namespace }))
    const stored = JSON.parse(generated.stdout) as Json
    t.match(memberAt(stored, 'metadata', 'name') as string, /^web-\w{5}$/)
    t.equal(handlerOf(stored), EXEC)
    t.match(generated.stderr, /^Warning: Pod names\/web-\*: 2 probes rewritten: /, 'the name is not known yet')

    const implied = await done(['create', '-n', namespace, '-o', 'json', '-f', '-'], pod({ name: 'implied' }))
    t.equal(handlerOf(JSON.parse(implied) as Json), EXEC)
  },
)

t.test(
  'a value that is not allowed stops nothing: the default holds, and kubectl lists the allowed ones',
  async (t) => {
    const namespace = 'bad-values'
    await meshNamespace(namespace)
    const annotations = { 'istio-onramp.io/probes': 'yes', 'istio-onramp.io/probe-port': 'eighty' }
    const { status, stdout, stderr } = await kubectl(
      ['create', '-o', 'json', '-f', '-'],
      pod({ name: 'web', namespace, annotations }),
    )
    t.equal(status, 0)
    t.equal(handlerOf(JSON.parse(stdout) as Json), EXEC)
    t.same(stderr.trim().split('\n'), [
      'Warning: Pod bad-values/web: annotation istio-onramp.io/probes is "yes"; allowed are auto, exec, port, agent, off; it is ignored [istio-onramp/setting-refused]',
      'Warning: Pod bad-values/web: annotation istio-onramp.io/probe-port is "eighty"; allowed are a port from 1 to 65535, or a list such as web=8081,worker=9090; it is ignored [istio-onramp/setting-refused]',
      'Warning: Pod bad-values/web: 2 probes rewritten: app livenessProbe (exec), app readinessProbe (exec) [istio-onramp/strict-mtls]',
    ])
    await done(['annotate', 'namespace', namespace, 'istio-onramp.io/templates=always'])
    await until('the annotation is known', async () =>
      /namespace bad-values: annotation istio-onramp.io\/templates is "always"; allowed are auto, rewrite, leave/.test(
        (await kubectl(['create', '--dry-run=server', '-f', '-'], workload('Deployment', { name: 'web', namespace })))
          .stderr,
      ),
    )
  },
)

// A patch that does not apply is an error of the user's, whatever the failurePolicy: each of these is admitted.
t.test('no shape of a pod brings forth a patch that the API server cannot apply', async (t) => {
  const namespace = 'shapes'
  await meshNamespace(namespace)
  const probe = { httpGet: { port: 8080 } }
  const hook = { preStop: { httpGet: { port: 8080 } }, postStart: { httpGet: { port: 8080, host: '' } } }
  const app = { name: 'app', image: 'a:1' }
  const volume = { name: 'istio-onramp-prober', emptyDir: {} }
  const mount = { name: 'istio-onramp-prober', mountPath: '/elsewhere' }
  const odd = { 'a.b/c_d': '"~/', 'istio-onramp.io/rewritten': '{' }
  const rows: readonly (readonly [string, JsonObject, JsonObject?])[] = [
    ['nothing but a probe', { ...app, livenessProbe: probe }],
    ['every slot', { ...app, livenessProbe: probe, readinessProbe: probe, startupProbe: probe, lifecycle: hook }],
    ['empty lists', { ...app, livenessProbe: probe, env: [], volumeMounts: [], ports: [] }],
    [
      'a variable from a field',
      { ...app, livenessProbe: probe, env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    ],
    [
      'our variable is there already',
      { ...app, livenessProbe: probe, env: [{ name: 'ISTIO_ONRAMP_POD_IP', value: 'x' }] },
    ],
    ['a mount of our volume elsewhere', { ...app, livenessProbe: probe, volumeMounts: [mount] }, { volumes: [volume] }],
    ['grpc', { ...app, livenessProbe: { grpc: { port: 8080, service: 'health' } } }],
    [
      'tcpSocket by name',
      { ...app, ports: [{ name: 'web', containerPort: 80 }], livenessProbe: { tcpSocket: { port: 'web' } } },
    ],
    ['a port name that nothing has', { ...app, livenessProbe: { httpGet: { port: 'nothing' } } }],
    ['a probe without a handler', { ...app, livenessProbe: {} }],
    ['two handlers', { ...app, livenessProbe: { ...probe, exec: { command: ['true'] } } }],
    [
      'an init container that is probed',
      { ...app },
      { initContainers: [{ ...app, name: 'init', restartPolicy: 'Always', startupProbe: probe }] },
    ],
    ['root', { ...app, livenessProbe: probe }, { securityContext: { runAsUser: 0 } }],
    ['annotations with every sort of key', { ...app, livenessProbe: probe }, { annotations: odd }],
  ]
  for (const [title, container, { annotations, ...spec } = {}] of rows) {
    const metadata = { generateName: 'a-', namespace, ...(annotations === undefined ? {} : { annotations }) }
    const { stderr } = await kubectl(['create', '--dry-run=server', '-f', '-'], pod(metadata, container, spec))
    t.notMatch(stderr, /InternalError|Internal error/, title)
    if (!/handler/.test(title)) t.notMatch(stderr, /Error from server|is invalid/, title)
  }
  const failed = await done(['get', '--raw', '/metrics'])
  t.notMatch(
    failed,
    /apiserver_admission_webhook_rejection_count\{error_type="(apiserver_internal_error|calling_webhook_error)",name="\w+\.istio-onramp/,
  )
  for (const server of stand.servers())
    t.equal(await server.metric(/^istio_onramp_fail_open_total\{reason="patch-not-applicable"/), 0)
})

// A Deployment, because Istio's own webhook reads 6 MiB and refuses such a pod.
t.test('a legal object of 3 MiB, which arrives as 18.9 MB, is decided like any other', async (t) => {
  const namespace = 'large'
  await meshNamespace(namespace, { 'istio-onramp.io/templates': 'rewrite' })
  const container = { ...CONTAINER, args: ['<'.repeat(3_000_000)] }
  const body = workload('Deployment', { name: 'large' }, { container }) as unknown as V1Deployment
  const apps = connect().makeApiClient(AppsV1Api)
  const stored = await apps.createNamespacedDeployment({ namespace, body, dryRun: 'All' })
  t.equal(handlerOf(JSON.parse(JSON.stringify(stored)) as Json), EXEC)
})

t.test('what comes with a rewrite passes a quota, a LimitRange and the restricted Pod Security standard', async (t) => {
  const namespace = 'restricted'
  await meshNamespace(namespace, { 'istio-onramp.io/templates': 'rewrite' })
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace },
    spec: { hard: { 'limits.cpu': '9', 'limits.memory': '9Gi' } },
  }
  const limits = [{ type: 'Container', min: { cpu: '50m', memory: '32Mi' } }]
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'r', namespace }, spec: { limits } }
  await done(['create', '-f', '-'], applied([quota, range]))
  // istio-init itself is not restricted, so the standard is asked about the template, and warns.
  await done(['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted'])
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }
  const resources = { limits: { cpu: '100m', memory: '64Mi' } }
  for (const delivery of ['image-volume', 'init-container']) {
    await stand.upgrade({ config: { ...QUICK.config, rules: { ...QUICK.config.rules, prober: { delivery } } } })
    const object = workload(
      'Deployment',
      { name: delivery, namespace },
      { container: { ...CONTAINER, securityContext, resources } },
    )
    const { stderr } = await kubectl(['create', '-f', '-'], object)
    t.match(
      stderr,
      /^Warning: Deployment restricted\/\S+: 2 probes rewritten: [^\n]*\n$/,
      `${delivery}: no other warning`,
    )
    t.equal(handlerOf(await get(namespace, `deployment/${delivery}`)), EXEC)
    await until(`the pod of ${delivery}`, async () =>
      (await list(namespace, 'pods')).some((one) => JSON.stringify(one).includes(`"${delivery}-`)),
    )
  }
  await stand.upgrade({})
})

t.test('no object has been patched twice, and the audit log tells what was done to each', async (t) => {
  const patched = new Map<string, number>()
  for (const event of auditSince(begin)) {
    if (event.requestURI.includes('dryRun') || event.objectRef?.name === undefined) continue
    const ours = patchesOf(event).filter(({ webhook }) => webhook.endsWith('.istio-onramp.io'))
    for (const { configuration } of ours) t.equal(configuration, CONFIGURATION)
    if (ours.length > 0) patched.set(nameOfEvent(event), (patched.get(nameOfEvent(event)) ?? 0) + ours.length)
  }
  t.ok(patched.size >= 15, `${patched.size} objects`)
  // Applied again, the user's check comes back into a rewritten template, and is rewritten back to what is stored.
  const appliedTwice = /^(?!pods )\w+ (kinds-rewrite|kinds-port|server-side-rewrite)\//
  for (const [name, times] of patched) if (!appliedTwice.test(name)) t.equal(times, 1, name)
})

t.test(
  'the account of the chart is enough: nothing was forbidden, nothing but kinds of an old Istio was missing',
  async (t) => {
    for (const server of stand.servers()) {
      const failed = await server.metric(/^istio_onramp_cluster_failures_total/)
      t.equal(failed, await server.metric(/^istio_onramp_cluster_failures_total.*authentication\.istio\.io/))
      t.notMatch(server.log, /forbidden/i)
    }
  },
)

t.test('stopped, and then removed, the webhook leaves workloads that can be applied as before', async (t) => {
  const namespace = 'kinds-auto'
  const next = (image: string): JsonObject =>
    applied(
      eachKind(namespace)
        .filter(({ kind }) => kind !== 'Job')
        .map((object) => JSON.parse(JSON.stringify(object).replace(String(CONTAINER['image']), image)) as JsonObject),
    )
  await stand.scale(0)
  await done(['apply', '-f', '-'], next('example.org/app:2'))
  await done(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', CONFIGURATION])
  await sleep(500)
  await done(['apply', '-f', '-'], next('example.org/app:3'))
  const { status, stdout } = await kubectl(['diff', '-f', '-'], next('example.org/app:3'))
  t.same([status, stdout], [0, ''])
  for (const object of await list(namespace, 'deployments,statefulsets,daemonsets,cronjobs'))
    t.same([handlerOf(object), isTouched(object)], [KEPT, false], String(memberAt(object, 'kind')))
})
