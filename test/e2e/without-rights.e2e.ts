// What a user can do to admission who may only write Ingresses, Services, Deployments and Pods of one namespace: nothing. The
// server lives, in the memory of its pod, and answers the small requests beside it.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { done, kubectl } from '../support/api-server/kubectl.ts'
import { ingress, pod, PROBED, route, workload } from '../support/api-server/objects.ts'
import { INGRESS_CASES } from '../support/ingress-cases.ts'
import { meshNamespace, standUp, until } from './support/stand.ts'

const AS = ['--as=developer']
const DRY = ['create', '--dry-run=server', '-f', '-', ...AS]
/** Of the chart. */
const MEMORY_MIB = 512

const stand = await standUp()
await meshNamespace('shop')
await giveRights('shop')

async function giveRights(namespace: string): Promise<void> {
  const names = ['ingresses.networking.k8s.io', 'services', 'deployments.apps', 'pods']
  const resources = names.map((name) => `--resource=${name}`)
  await done(['create', 'role', 'developer', '-n', namespace, '--verb=*', ...resources])
  await done(['create', 'rolebinding', 'developer', '-n', namespace, '--role=developer', '--user=developer'])
}

function server() {
  const [first] = stand.servers()
  if (first === undefined) throw new Error('no server')
  return first
}

/** The highest resident memory of the server's process, in MiB. */
function mostMemory(): number {
  const status = readFileSync(`/proc/${server().pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024
}

const list = (count: number, entry: string): string => `[${Array.from({ length: count }, () => entry).join()}]`

/** With a text in the place of `"HERE"`. */
const around = (object: JsonObject, text: string): string => JSON.stringify(object).replace('"HERE"', () => text)

const deployment = (containers: string): string =>
  around(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'large', namespace: 'shop' },
      spec: {
        selector: { matchLabels: { app: 'large' } },
        template: { metadata: { labels: { app: 'large' } }, spec: { containers: 'HERE' } },
      },
    },
    containers,
  )

t.test('the user has these rights and no others', async (t) => {
  for (const [resource, may] of [
    ['ingresses', 'yes'],
    ['pods', 'yes'],
    ['configmaps', 'no'],
    ['peerauthentications', 'no'],
    ['mutatingwebhookconfigurations', 'no'],
  ] as const)
    t.equal((await kubectl(['auth', 'can-i', 'create', resource, '-n', 'shop', ...AS])).stdout.trim(), may, resource)
})

t.test('objects of up to 3 MiB, of many values or long texts, as the API server sends them', async (t) => {
  const annotated = (text: string) =>
    pod('long', { containers: [PROBED] }, { annotations: { 'sidecar.istio.io/proxyCPU': text } })
  const before = server().pid
  const rows: readonly (readonly [string, string])[] = [
    ['230,000 containers {}', deployment(list(230_000, '{}'))],
    ['300,000 variables {}', deployment(`[{"name":"a","image":"x","env":${list(300_000, '{}')}}]`)],
    ['400 KB in an annotation that Istio reads', JSON.stringify(annotated(`${'0'.repeat(400_000)}!`))],
    [
      '2 MB of spaces in an annotation of ours',
      JSON.stringify(
        pod(
          'long',
          { containers: [PROBED] },
          { annotations: { 'istio-onramp.io/probe-port': `${' '.repeat(2_000_000)}x` } },
        ),
      ),
    ],
    [
      'YAML of 400 KB',
      JSON.stringify(
        pod('long', { containers: [PROBED] }, { annotations: { 'proxy.istio.io/config': 'a: 1\n'.repeat(80_000) } }),
      ),
    ],
    [
      'a path of 1 MB',
      JSON.stringify(
        pod('long', {
          containers: [{ ...PROBED, livenessProbe: { httpGet: { path: `/${'%'.repeat(1_000_000)}`, port: 80 } } }],
        }),
      ),
    ],
  ]
  for (const [what, object] of rows) {
    const small = JSON.stringify(pod('small', { containers: [PROBED] }))
    const [large, ...others] = await Promise.all([
      kubectl(DRY, object),
      ...[1, 2, 3].map(() => kubectl([...DRY, '-o', 'json'], small)),
    ])
    // The API server itself may take longer than a request may, to validate so many.
    t.notMatch(large.stderr, /failed calling webhook/, what)
    for (const { status, stdout, stderr } of others)
      t.match(status === 0 ? stdout : stderr, /istio-onramp\/prober/, `${what}: a small pod beside it`)
  }
  t.equal(server().pid, before, 'the same process')
  t.ok(mostMemory() < MEMORY_MIB, `${mostMemory()} MiB`)
})

t.test('an Ingress of any size is denied in time', async (t) => {
  const hosts = Array.from({ length: 8000 }, (_, index) => `h${index}.example.com`)
  const rows: readonly (readonly [string, JsonObject])[] = [
    ['8,000 hosts', ingress('shop', 'large', { rules: hosts.map((host) => ({ ...route('web'), host })) })],
    [
      '8,000 aliases',
      ingress(
        'shop',
        'large',
        { ingressClassName: 'nginx' },
        { annotations: { 'nginx.ingress.kubernetes.io/server-alias': hosts.join() } },
      ),
    ],
    [
      '8,000 certificates',
      ingress('shop', 'large', { tls: hosts.map((host) => ({ hosts: [host], secretName: 's' })) }),
    ],
  ]
  for (const [what, object] of rows) {
    const { stderr } = await kubectl(DRY, object)
    t.match(stderr, /Ingress shop\/large is denied: .*\[istio-onramp\/ingress-in-mesh\]/s, what)
    t.ok(stderr.length < 5000, `${what}: ${stderr.length} characters`)
  }
})

t.test('Services of up to a megabyte of annotations: the server starts and reads the cluster', async (t) => {
  const service = (index: number): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `large-${index}`, namespace: 'shop', annotations: { 'example.com/notes': 'n'.repeat(250_000) } },
    spec: { ports: [{ port: 80 }] },
  })
  for (let batch = 0; batch < 4; batch++) {
    const items = Array.from({ length: 10 }, (_, index) => service(10 * batch + index))
    await done(['create', '-f', '-', ...AS], { apiVersion: 'v1', kind: 'List', items })
  }
  await stand.scale(0)
  await stand.scale(1)
  await until(
    'the Services are read',
    async () => (await server().metric(/cluster_objects\{resource="services"\}/)) > 40,
  )
  t.ok(mostMemory() < MEMORY_MIB, `${mostMemory()} MiB`)
  await done(['delete', 'services', '-n', 'shop', '--all', ...AS])
})

t.test('every way around the denial of an Ingress is closed', async (t) => {
  const named = (object: JsonObject, index: number): JsonObject => ({
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), name: `case-${index}`, namespace: 'bypass' },
  })
  const cases = INGRESS_CASES.filter(({ rule }) => rule.startsWith('deny'))
  await done(['create', 'namespace', 'bypass'])
  await giveRights('bypass')
  for (const [index, { before }] of cases.entries()) {
    if (before === undefined) continue
    await done(['create', '-f', '-'], named(before, index))
    if (memberAt(before, 'metadata', 'deletionTimestamp') !== undefined)
      await done(['delete', `ingress/case-${index}`, '-n', 'bypass', '--wait=false'])
  }
  await meshNamespace('bypass')
  for (const [index, { title, before, after }] of cases.entries()) {
    const { status, stderr } = await kubectl(
      [before === undefined ? 'create' : 'replace', '-f', '-', ...AS],
      named(after, index),
    )
    t.equal(status, 1, title)
    // The API server itself refuses some of these paths, and both classes at once.
    t.match(stderr, /Ingress bypass\/case-\d+ is denied|Invalid value/, title)
  }
})

t.test('a Deployment of many probes is decided whole', async (t) => {
  const containers = Array.from({ length: 300 }, (_, index) => ({ ...PROBED, name: `c${index}` }))
  const base = workload('apps/v1', 'Deployment', 'many') as { spec: { template: JsonObject } } & JsonObject
  const spec = { ...base.spec, template: { ...base.spec.template, spec: { containers } } }
  const { status, stderr } = await kubectl(DRY, { ...base, spec } as unknown as JsonObject)
  t.equal(status, 0, stderr)
  t.match(stderr, /300 probes will be rewritten/)
})
