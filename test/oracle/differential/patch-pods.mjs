// Patches the random pods of the oracle by our rule, most of them under `auto`, and writes one line for each pod: what to
// admit in its place, what was decided, and what Istio answered without us. Usage: patch-pods.mjs FILE
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { provePatch } from '../../../dist/admission/prove-patch.js'
import { referenceTo } from '../../../dist/kubernetes/object.js'
import { DEFAULT_RULES } from '../../../dist/rules/configuration.js'
import { probesRule } from '../../../dist/rules/probes/probes-rule.js'
import { clusterReader } from './clusters.mjs'
import { varied } from './vary-pod.mjs'

const SETTINGS = ['auto', 'auto', 'auto', 'agent', 'auto', 'auto', 'auto', 'port', 'auto', 'auto', 'auto', 'exec']
const out = createWriteStream(process.argv[2])
const read = clusterReader(patch)
for await (const line of createInterface({ input: process.stdin })) read(line)
out.end()

/** Istio refuses some pods, and cannot redirect others: there is nothing to judge. */
function patch({ index, pod, answer }, state) {
  if (answer.denied !== undefined || answer.invalid !== undefined || answer.captured === undefined) return
  const object = varied(pod, index)
  const setting = SETTINGS[index % SETTINGS.length]
  const configuration = { ...DEFAULT_RULES, probes: setting, exemptNamespaces: [] }
  const request = { operation: 'CREATE', reference: referenceTo(object), object, oldObject: undefined, user: '' }
  const { operations, decisions } = probesRule.apply(request, { mesh: state, configuration })
  const proof = provePatch(object, operations)
  if (proof.result === undefined) throw new Error(`index ${index}: ${proof.problem}`)
  const isPatched = operations.length > 0
  const ports = decisions.flatMap(({ port }) => (port === undefined ? [] : [port]))
  const line = { index, setting, isPatched, pod: proof.result, ports, decisions, original: object, before: answer }
  out.write(`${JSON.stringify(line)}\n`)
}
