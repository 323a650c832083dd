/** What the tests on a node ask of the cluster and of its pods. hack/prober/on-node starts both. */
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { arrayMember, memberAt, stringMember, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { done, kubeconfig } from '../../../support/api-server/kubectl.ts'

const CLI = join(import.meta.dirname, '../../../../dist/cli.js')
const ENV = { ...process.env, KUBECONFIG: kubeconfig() }

/** What `istio-onramp preview -o yaml` makes of objects; the cluster is the real one unless `from` is a folder of manifests. */
export function rewritten(objects: readonly JsonObject[], from?: string): string {
  const input = objects.map((object) => stringify(object)).join('---\n')
  const source = from === undefined ? [] : ['--from', from]
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'preview', '-f', '-', '-o', 'yaml', ...source], {
    input,
    encoding: 'utf8',
    env: ENV,
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

export async function read(namespace: string, name: string): Promise<JsonObject> {
  return JSON.parse(await done(['get', name, '-n', namespace, '-o', 'json'])) as JsonObject
}

export function isReady(pod: JsonObject): boolean {
  return arrayMember(memberAt(pod, 'status'), 'conditions').some(
    (condition) => stringMember(condition, 'type') === 'Ready' && stringMember(condition, 'status') === 'True',
  )
}

/** Waits up to `seconds`; then throws what `kubectl describe` says of the pod. */
export async function untilPod(
  [namespace, name]: readonly [string, string],
  what: string,
  holds: (pod: JsonObject) => boolean,
  seconds = 120,
): Promise<JsonObject> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const pod = await read(namespace, `pod/${name}`)
    if (holds(pod)) return pod
    if (performance.now() > deadline)
      throw new Error(`${what}: not in ${seconds} s\n${await describe(namespace, name)}`)
    await sleep(500)
  }
}

export async function describe(namespace: string, name: string): Promise<string> {
  return await done(['describe', 'pod', name, '-n', namespace])
}

/** Waits up to a minute until a container has printed all of them; then throws what it has printed. */
export async function untilLog(
  [namespace, name, container]: readonly [string, string, string],
  lines: readonly RegExp[],
): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const log = await done(['logs', name, '-n', namespace, '-c', container])
    const missing = lines.filter((line) => !line.test(log))
    if (missing.length === 0) return
    if (performance.now() > deadline) throw new Error(`${name} ${container}: no ${missing.join(', ')} in\n${log}`)
    await sleep(500)
  }
}

/** Deletes a pod and returns all that a container has printed, the last words too. */
export async function logUntilDeleted(namespace: string, name: string, container: string): Promise<string> {
  const follow = spawn('kubectl', ['logs', '--follow', name, '-n', namespace, '-c', container], { env: ENV })
  const printed = text(follow.stdout)
  await done(['delete', 'pod', name, '-n', namespace])
  return await printed
}

/** Makes the application answer with a status on a path from now on. */
export async function say(pod: JsonObject, status: number, path: string, port = 8080): Promise<void> {
  const response = await fetch(`http://${String(memberAt(pod, 'status', 'podIP'))}:${port}/say/${status}/of${path}`)
  if (!response.ok) throw new Error(`the application says ${response.status}`)
}

export function restartsOf(pod: JsonObject, name: string): number {
  const states = ['initContainerStatuses', 'containerStatuses'].flatMap((field) =>
    arrayMember(memberAt(pod, 'status'), field),
  )
  return Number(
    memberAt(
      states.find((state) => stringMember(state, 'name') === name),
      'restartCount',
    ),
  )
}

/** Kills the agent of a pod's sidecar, which is a process of this machine. */
export function killAgent(pod: string): void {
  const isIts = (id: string): boolean => {
    try {
      const environment = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0')
      const command = readFileSync(`/proc/${id}/cmdline`, 'utf8')
      return command.startsWith('/usr/local/bin/pilot-agent') && environment.includes(`POD_NAME=${pod}`)
    } catch {
      return false // it has ended, or is a thread of the kernel
    }
  }
  const found = readdirSync('/proc').filter((id) => /^\d+$/.test(id) && isIts(id))
  if (found.length !== 1) throw new Error(`${found.length} agents of ${pod} on this machine`)
  process.kill(Number(found[0]), 'SIGKILL')
}
