// `templates: rewrite`: every merge of a user's manifest into a template that holds our rewrite
// (docs/facts/admission-requests.md#rewritten-templates), the same merges with the webhook gone, and the way back.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { CONFIGURATION, helm } from '../support/api-server/helm.ts'
import { done, kubeconfig, kubectl } from '../support/api-server/kubectl.ts'
import { handlerOf, isTouched, LIVENESS, receiptOf, templateOf, workload } from './support/manifests.ts'
import { meshNamespace, standUp } from './support/stand.ts'

const REWRITE = { 'istio-onramp.io/templates': 'rewrite' }
const EXEC = 'exec prober'
const HTTP = 'httpGet 8080'
const stand = await standUp()

const WEB = { name: 'app', image: 'example.org/app:1', livenessProbe: LIVENESS }
const changed = (probe: JsonObject): JsonObject => ({ ...WEB, livenessProbe: { ...LIVENESS, ...probe } })
const MANIFESTS = {
  same: WEB,
  image: { ...WEB, image: 'example.org/app:2' },
  path: changed({ httpGet: { path: '/other', port: 8080 } }),
  period: changed({ periodSeconds: 30 }),
  tcpSocket: { ...WEB, livenessProbe: { tcpSocket: { port: 8080 } } },
  ownExec: { ...WEB, livenessProbe: { exec: { command: ['cat', '/tmp/healthy'] } } },
  unprobed: { name: 'app', image: 'example.org/app:1' },
  execNull: changed({ exec: null }),
} as const

const APPLY = ['apply', '-f', '-']
const SERVER_SIDE = ['apply', '--server-side', '-f', '-']
const FORCED = [...SERVER_SIDE, '--force-conflicts']
const REFUSED = 'livenessProbe.*may not specify more than 1 handler type'
const CONFLICTS = 'Apply failed with \\d+ conflicts?'

interface Merge {
  /** How the Deployment was made before. */
  readonly after: readonly string[]
  readonly command: readonly string[]
  readonly manifest: keyof typeof MANIFESTS
  /** The check that is stored, or the error; where nothing was to change, the generation is still the first. */
  readonly there: string
  /** The same with the webhook gone. */
  readonly gone: string
}

/** `AFTER COMMAND MANIFEST | with the webhook there | with the webhook gone` */
const MERGES: readonly Merge[] = [
  { after: APPLY, command: APPLY, manifest: 'same', there: EXEC, gone: REFUSED },
  { after: APPLY, command: APPLY, manifest: 'image', there: EXEC, gone: REFUSED },
  { after: APPLY, command: APPLY, manifest: 'path', there: EXEC, gone: REFUSED },
  { after: APPLY, command: APPLY, manifest: 'period', there: EXEC, gone: REFUSED },
  { after: APPLY, command: APPLY, manifest: 'tcpSocket', there: EXEC, gone: REFUSED },
  { after: APPLY, command: APPLY, manifest: 'ownExec', there: 'exec', gone: 'exec' },
  { after: APPLY, command: APPLY, manifest: 'unprobed', there: 'none', gone: 'none' },
  { after: APPLY, command: APPLY, manifest: 'execNull', there: EXEC, gone: HTTP },
  { after: APPLY, command: ['replace', '-f', '-'], manifest: 'path', there: EXEC, gone: HTTP },
  { after: APPLY, command: [...APPLY, '--force'], manifest: 'path', there: EXEC, gone: HTTP },
  { after: APPLY, command: SERVER_SIDE, manifest: 'same', there: CONFLICTS, gone: CONFLICTS },
  { after: APPLY, command: FORCED, manifest: 'same', there: EXEC, gone: REFUSED },
  { after: SERVER_SIDE, command: SERVER_SIDE, manifest: 'same', there: EXEC, gone: REFUSED },
  { after: SERVER_SIDE, command: SERVER_SIDE, manifest: 'image', there: EXEC, gone: REFUSED },
  { after: SERVER_SIDE, command: SERVER_SIDE, manifest: 'path', there: EXEC, gone: REFUSED },
  { after: SERVER_SIDE, command: SERVER_SIDE, manifest: 'tcpSocket', there: EXEC, gone: REFUSED },
  { after: SERVER_SIDE, command: FORCED, manifest: 'path', there: EXEC, gone: REFUSED },
]

const AGAIN: Merge = { after: APPLY, command: APPLY, manifest: 'same', there: EXEC, gone: REFUSED }

function web(namespace: string, index: number, manifest: keyof typeof MANIFESTS): JsonObject {
  return workload('Deployment', { name: `web-${index}`, namespace }, { container: MANIFESTS[manifest] })
}

async function stored(namespace: string, name: string): Promise<JsonObject> {
  return JSON.parse(await done(['get', `deployment/${name}`, '-n', namespace, '-o', 'json'])) as JsonObject
}

/** The check that is stored after the command, or what kubectl printed when it failed. */
async function outcome(namespace: string, index: number, { command, manifest }: Merge): Promise<string> {
  const { status, stderr } = await kubectl(command, web(namespace, index, manifest))
  return status === 0 ? handlerOf(await stored(namespace, `web-${index}`)) : stderr
}

function title({ after, command, manifest }: Merge): string {
  return `${after.slice(0, -2).join(' ')}, then ${command.filter((word) => word !== '-f' && word !== '-').join(' ')} ${manifest}`
}

t.test(
  'whatever a merge brings, one handler is stored: the rewritten one where the probe breaks, else the user’s own',
  async (t) => {
    for (const namespace of ['there', 'gone', 'removed']) {
      await meshNamespace(namespace, REWRITE)
      for (const after of [APPLY, SERVER_SIDE]) {
        const items = MERGES.flatMap((merge, index) => (merge.after === after ? [web(namespace, index, 'same')] : []))
        await done(after, { apiVersion: 'v1', kind: 'List', items })
      }
    }
    for (const [index, merge] of MERGES.entries()) {
      const { manifest } = merge
      const before = templateOf(await stored('there', `web-${index}`))
      check(t, await outcome('there', index, merge), merge.there, title(merge))
      const object = await stored('there', `web-${index}`)
      if (manifest === 'same' || manifest === 'execNull')
        t.same(templateOf(object), before, `${title(merge)}: nothing rolls out`)
      t.equal(isTouched(object), handlerOf(object) === EXEC, `${title(merge)}: everything goes with the rewrite`)
      const original = memberAt(receiptOf(object)?.['app'], 'livenessProbe', 'original')
      if (manifest === 'path')
        t.match(original, { httpGet: { path: '/other' } }, 'the receipt is of the check as it is now')
      if (manifest === 'tcpSocket') t.match(original, { tcpSocket: { port: 8080 } })
    }
  },
)

/** A table's cell is an error, or the check that is stored. */
function check(t: Test, result: string, expected: string, title: string): void {
  if (expected === REFUSED || expected === CONFLICTS) t.match(result, new RegExp(expected), title)
  else t.equal(result, expected, title)
}

t.test('diff shows what changes and no more; undo, set image and edit keep the rewrite', async (t) => {
  const namespace = 'commands'
  await meshNamespace(namespace, REWRITE)
  await done(APPLY, web(namespace, 0, 'same'))
  await rolledOut(namespace)
  const diff = async (manifest: keyof typeof MANIFESTS) =>
    await kubectl(['diff', '-f', '-'], web(namespace, 0, manifest))
  t.same((await diff('same')).stdout, '')
  const changes = (await diff('image')).stdout.split('\n').filter((line) => /^[-+] .*image: /.test(line))
  t.same(
    changes.map((line) => line.replace(/ [ -]*/, ' ')),
    ['- image: example.org/app:1', '+ image: example.org/app:2'],
  )
  const target = ['deployment/web-0', '-n', namespace]
  for (const args of [
    ['set', 'image', ...target, 'app=example.org/app:3'],
    ['rollout', 'undo', ...target],
    ['rollout', 'restart', ...target],
    [
      'patch',
      ...target,
      '-p',
      JSON.stringify({ spec: { template: { spec: { containers: [{ ...MANIFESTS.path, image: 'a:4' }] } } } }),
    ],
  ]) {
    await done(args)
    t.equal(handlerOf(await rolledOut(namespace)), EXEC, args.slice(0, 2).join(' '))
  }
})

/** Waits until the controller has seen the last change: `rollout undo` looks for a ReplicaSet of each revision. */
async function rolledOut(namespace: string): Promise<JsonObject> {
  const object = await stored(namespace, 'web-0')
  const seen = `jsonpath={.status.observedGeneration}=${String(memberAt(object, 'metadata', 'generation'))}`
  await done(['wait', 'deployment/web-0', '-n', namespace, '--for', seen, '--timeout', '30s'])
  return object
}

t.test('helm upgrades a rewritten Deployment', async (t) => {
  const namespace = 'helm'
  await meshNamespace(namespace, REWRITE)
  const chart = t.testdir({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    templates: { 'web.yaml': JSON.stringify(web(namespace, 0, 'same')).replace('app:1', 'app:{{ .Values.tag }}') },
    'values.yaml': 'tag: "1"\n',
  })
  const run = (verb: string, ...more: string[]) =>
    helm([verb, 'shop', chart, '--namespace', namespace, '--kubeconfig', kubeconfig(), ...more])
  t.match(run('install'), { status: 0, stderr: /warnings\.go.*Deployment helm\/web-0: 1 probe rewritten/ })
  for (const tag of ['1', '2']) {
    t.match(run('upgrade', '--set-string', `tag=${tag}`), { status: 0 })
    const object = await stored(namespace, 'web-0')
    t.equal(handlerOf(object), EXEC)
    t.equal(memberAt(object, 'metadata', 'generation'), Number(tag), 'one rollout for one change')
  }
})

// Fail open does not help here: it is the merge that fails. That is why `auto` leaves such templates to their pods.
t.test('with the server down, and with the webhooks removed, the merges fail as they are known to', async (t) => {
  await stand.scale(0)
  for (const namespace of ['gone', 'removed']) {
    if (namespace === 'removed') await done(['delete', 'mutatingwebhookconfiguration', CONFIGURATION])
    for (const [index, merge] of MERGES.entries())
      check(t, await outcome(namespace, index, merge), merge.gone, `${namespace}: ${title(merge)}`)
  }
  const chart = t.testdir({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    templates: { 'web.yaml': JSON.stringify(web('helm', 0, 'image')) },
  })
  t.match(helm(['upgrade', 'shop', chart, '--namespace', 'helm', '--kubeconfig', kubeconfig()]), {
    status: 1,
    stderr: /UPGRADE FAILED: .*"web-0".* with kind Deployment.*may not specify more than 1 handler type/s,
  })
})

t.test('restore puts every rewritten Deployment back, and what was refused before is applied', async (t) => {
  const cli = join(import.meta.dirname, '../../dist/cli.js')
  const live = await done(['get', 'deployments', '-n', 'gone', '-o', 'yaml'])
  const restored = spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, cli, 'restore', '-f', '-'], {
    input: live,
    encoding: 'utf8',
  })
  t.equal(restored.status, 0, restored.stderr)
  await done(['replace', '-f', '-'], restored.stdout)
  for (const [index, { after }] of MERGES.entries()) {
    t.equal(isTouched(await stored('gone', `web-${index}`)), false)
    // The `replace` has taken the fields over from the server-side applier.
    const command = after === APPLY ? APPLY : FORCED
    t.notMatch(await outcome('gone', index, { ...AGAIN, command }), /Error|handler type/)
  }
})
