/**
 * The real API server that hack/chart/test or hack/e2e/test started. The kubeconfig comes under a name of its own, so that
 * no real cluster is used by mistake.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { CHART, helm, NAMESPACE, type Run } from './helm.ts'

const KUBECONFIG = process.env['ISTIO_ONRAMP_TEST_KUBECONFIG']
const KUBECTL = process.env['KUBECTL'] ?? 'kubectl'

/** Runs kubectl and leaves this process free to answer what the API server asks meanwhile. */
export async function kubectl(args: readonly string[], input: JsonObject | string = ''): Promise<Run> {
  const child = spawn(KUBECTL, args, { env: { ...process.env, KUBECONFIG: kubeconfig() } })
  child.stdin.end(typeof input === 'string' ? input : JSON.stringify(input))
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

/** As `kubectl`, for what has to succeed. */
export async function done(args: readonly string[], input: JsonObject | string = ''): Promise<string> {
  const { status, stdout, stderr } = await kubectl(args, input)
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** `helm install` or `upgrade` of the release `onramp`; throws what helm prints when it fails. */
export function release(
  verb: 'install' | 'upgrade',
  values: JsonObject,
  files: readonly string[] = [],
  flags: readonly string[] = [],
): string {
  const from = [...files, '-'].flatMap((file) => ['--values', file])
  return inCluster([verb, 'onramp', CHART, '--namespace', NAMESPACE, ...from, ...flags], JSON.stringify(values))
}

export function rollback(revision: number): string {
  return inCluster(['rollback', 'onramp', String(revision), '--namespace', NAMESPACE])
}

export function uninstall(): string {
  return inCluster(['uninstall', 'onramp', '--namespace', NAMESPACE])
}

function inCluster(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = helm([...args, '--kubeconfig', kubeconfig()], input)
  if (status !== 0) throw new Error(`helm ${args[0] ?? ''}: ${stderr}`)
  return stdout
}

export function kubeconfig(): string {
  if (KUBECONFIG === undefined) throw new Error('no API server: hack/chart/test and hack/e2e/test start one')
  return KUBECONFIG
}

/** Creates a namespace and the service account that pods need; nothing else does so without a controller manager. */
export async function createNamespace(name: string, labels: JsonObject = {}, annotations: JsonObject = {}) {
  const metadata = { name, labels, annotations }
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata })
  await kubectl(['create', 'serviceaccount', 'default', '-n', name])
}
