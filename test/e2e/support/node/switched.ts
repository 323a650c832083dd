// What `check` says of an application on the node, and what fails of it. Both are lists of the same words: a probe or hook by
// workload, container and slot, a caller, a webhook, an aggregated API, a node port.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { arrayMember, memberAt, stringMember, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { done, kubeconfig } from '../../../support/api-server/kubectl.ts'

const CLI = join(import.meta.dirname, '../../../../dist/cli.js')
/** Pooled connections are cut after 45 s, so calls are judged from a minute on. */
const SETTLED_MS = 70_000
const WATCHED_MS = 180_000

export interface Application {
  /** The one that is switched first. */
  readonly namespaces: readonly [string, ...string[]]
  readonly servers: readonly JsonObject[]
  readonly clients: readonly JsonObject[]
  /** Entrances from outside that fail now, in words. */
  readonly entrances: () => Promise<readonly string[]>
}

export async function apply(objects: readonly JsonObject[]): Promise<void> {
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [...objects] })
}

export async function untilAvailable(namespaces: readonly string[]): Promise<void> {
  for (const namespace of namespaces)
    await done(['wait', 'deployment', '--all', '-n', namespace, '--for=condition=Available', '--timeout=300s'])
}

interface Items {
  readonly items: readonly JsonObject[]
}

export async function list(what: string, ...where: readonly string[]): Promise<readonly JsonObject[]> {
  const { items } = JSON.parse(await done(['get', what, ...where, '-o', 'json'])) as Items
  return items
}

export async function runningPodOf(name: string, namespace: string): Promise<JsonObject> {
  await done(['wait', 'pod', '-n', namespace, '-l', `app=${name}`, '--for=condition=Ready', '--timeout=300s'])
  const [pod] = await list('pods', '-n', namespace, '-l', `app=${name}`)
  if (pod === undefined) throw new Error(`no pod of ${name}`)
  return pod
}

/** Returns a folder with the objects as a user would keep them. */
export function manifestsOf(objects: readonly JsonObject[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'check-'))
  writeFileSync(join(folder, 'cluster.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...objects] }))
  return folder
}

interface Report {
  readonly findings: readonly JsonObject[]
}

export function predicted(args: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'check', '-o', 'json', ...args], {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: kubeconfig() },
    maxBuffer: 1 << 26,
  })
  if (status !== 0 && status !== 1) throw new Error(`check ended with ${String(status)}: ${stderr}`)
  const { findings } = JSON.parse(stdout) as Report
  const errors = findings.filter(({ severity }) => severity === 'error')
  return [...new Set(errors.flatMap(inWords))].toSorted()
}

const ENTRANCES: Readonly<Record<string, string>> = {
  'node-port-refused': 'node port',
  'webhook-unreachable': 'webhook',
  'api-service-unreachable': 'api service',
}

/** Every error has to be one of the things that are watched. */
function inWords(finding: JsonObject): readonly string[] {
  const { code, container, slot } = finding
  const [namespace = '', name = ''] = ['namespace', 'name'].map((key) => String(memberAt(finding, 'object', key)))
  if (typeof slot === 'string') return [`probe ${namespace}/${name} ${String(container)} ${slot}`]
  const callers = arrayMember(finding, 'callers')
  if (callers.length > 0)
    return callers.map(
      (caller) => `caller ${String(memberAt(caller, 'namespace'))}/${String(memberAt(caller, 'name'))}`,
    )
  return [`${ENTRANCES[String(code)] ?? String(code)} ${namespace === '' ? name : `${namespace}/${name}`}`]
}

const SLOTS: Readonly<Record<string, string>> = {
  Liveness: 'livenessProbe',
  Readiness: 'readinessProbe',
  Startup: 'startupProbe',
  FailedPostStartHook: 'postStart',
  FailedPreStopHook: 'preStop',
}

function nameOf(object: JsonObject): string {
  return String(memberAt(object, 'metadata', 'name'))
}

/** Probes and hooks that kubelet reports as failed after the moment. */
async function failedChecks(
  { namespaces: [namespace], servers }: Application,
  since: Date,
): Promise<readonly string[]> {
  const names = servers.map(nameOf).toSorted((left, right) => right.length - left.length)
  const events = await list('events', '-n', namespace)
  return events.flatMap((event) => {
    const reason = stringMember(event, 'reason') ?? ''
    // Events that differ in their source port alone arrive as "(combined from similar events): Readiness probe failed".
    const message = (stringMember(event, 'message') ?? '').replace(/^\(combined from similar events\): /, '')
    const word = reason === 'Unhealthy' ? (/^\w+/.exec(message)?.[0] ?? '') : reason
    const slot = SLOTS[word]
    const at = new Date(stringMember(event, 'lastTimestamp') ?? '')
    if (slot === undefined || memberAt(event, 'type') !== 'Warning' || !(at >= since)) return []
    const pod = String(memberAt(event, 'involvedObject', 'name'))
    const workload = names.find((name) => pod.startsWith(`${name}-`)) ?? pod
    const container = /\{(.*)\}/.exec(String(memberAt(event, 'involvedObject', 'fieldPath')))?.[1] ?? ''
    // A new pod's proxy is not ready at once.
    return container.startsWith('istio-') ? [] : [`probe ${namespace}/${workload} ${container} ${slot}`]
  })
}

/** Clients of which calls failed within the last seconds; a client that printed nothing is an error of the test. */
async function failedCallers({ clients }: Application, seconds: number): Promise<readonly string[]> {
  const found: string[] = []
  for (const object of clients) {
    const [namespace, name] = [String(memberAt(object, 'metadata', 'namespace')), nameOf(object)]
    const log = await done(['logs', `deployment/${name}`, '-n', namespace, '-c', 'app', `--since=${seconds}s`])
    if (!/^(?:ok|failed) /m.test(log)) throw new Error(`${name} called nobody`)
    if (/^failed /m.test(log)) found.push(`caller ${namespace}/${name}`)
    t.comment(`${name}: ${log.trim().split('\n').at(-1) ?? ''}`)
  }
  return found
}

/** Returns what fails between `since` and now. */
export async function failing(application: Application, since: Date, seconds = 10): Promise<readonly string[]> {
  const found = [
    ...(await failedChecks(application, since)),
    ...(await failedCallers(application, seconds)),
    ...(await application.entrances()),
  ]
  return [...new Set(found)].toSorted()
}

/** Returns what fails within three minutes after the switch. `restarted` has hooks: it ends, and another pod starts. */
export async function failingAfter(
  application: Application,
  restarted: string,
  since: Date,
): Promise<readonly string[]> {
  const broken = new Set<string>()
  await sleep(SETTLED_MS)
  while (Date.now() - since.getTime() < WATCHED_MS) {
    for (const entry of await failing(application, since)) broken.add(entry)
    await sleep(10_000)
  }
  await done(['delete', 'pod', '-n', application.namespaces[0], '-l', `app=${restarted}`, '--wait=false'])
  await sleep(30_000)
  for (const entry of await failedChecks(application, since)) broken.add(entry)
  return [...broken].toSorted()
}
