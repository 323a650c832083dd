/**
 * `npm run demo`: starts the webhook on the embedded cluster and sends it the API server's requests for `kubectl apply
 * -f examples/workloads`, then those for the pods that the controllers create. `npm start` (`--serve`) leaves the
 * server running instead.
 */
import { fileURLToPath } from 'node:url'
import { provePatch } from '../admission/prove-patch.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import { podFromTemplate } from '../commands/preview-entry.ts'
import { createPaint, type Paint } from '../commands/preview-text.ts'
import { messageOf } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { createReview, withDefaults } from './api-server.ts'
import { transcript, type Admitted } from './transcript.ts'
import { createWebhookClient, type WebhookClient } from './webhook-client.ts'
import { startWebhook, type WebhookProcess } from './webhook-process.ts'

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url))

async function main(): Promise<void> {
  const isServing = process.argv.includes('--serve')
  const webhook = await startWebhook(`${EXAMPLES}/cluster`, isServing ? '127.0.0.1:8443' : '127.0.0.1:0')
  if (isServing) {
    await leaveRunning(webhook)
    return
  }
  const client = createWebhookClient(webhook.address, webhook.ca)
  try {
    await showApply(client, createPaint(process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''))
  } finally {
    client.close()
    await webhook.stop()
  }
}

async function showApply(client: WebhookClient, paint: Paint): Promise<void> {
  const manifests = await readManifests([`${EXAMPLES}/workloads`])
  print(paint('bold', '$ kubectl apply -f examples/workloads'))
  const stored: Admitted[] = []
  for (const { object } of manifests) {
    const admitted = await admitObject(client, object)
    print(`\n${transcript(admitted, paint)}`)
    if (admitted.answer.allowed) stored.push(admitted)
  }
  print(`\n${paint('bold', '# The controllers then create the pods')}`)
  for (const { reference, after } of stored) {
    const pod = reference.kind === 'Pod' ? undefined : podFromTemplate(after, reference)
    if (pod !== undefined) print(`\n${transcript(await admitObject(client, pod), paint)}`)
  }
}

async function admitObject(client: WebhookClient, manifest: JsonObject): Promise<Admitted> {
  const reference = referenceTo(manifest)
  const before = withDefaults(manifest, reference)
  const answer = await client.ask('/mutate', createReview(before, reference))
  const proof = provePatch(before, answer.operations)
  if ('problem' in proof)
    throw new Error(`the patch for ${reference.kind} ${reference.name} does not apply: ${proof.problem}`)
  return { reference, before, after: proof.result, answer }
}

async function leaveRunning({ address, metrics, caFile, exited }: WebhookProcess): Promise<void> {
  print(`The webhook listens on https://${address}, its metrics on http://${metrics}/metrics. Ctrl-C stops it. Try:\n`)
  print(`  curl --cacert ${caFile} -H 'Content-Type: application/json' \\`)
  print(`    -d @examples/reviews/create-pod.json https://${address}/mutate\n`)
  await exited
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`error: ${messageOf(error)}\n`)
  process.exitCode = 1
}
