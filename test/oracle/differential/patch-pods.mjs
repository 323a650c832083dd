// Patches the random pods of the oracle by our rule, each with a setting of its own, and writes one line for each pod that
// changes: what to admit in its place, what was decided, and what Istio answered without us. Usage: patch-pods.mjs FILE
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { buildClusterState } from '../../../dist/cluster/cluster-state.js'
import { provePatch } from '../../../dist/admission/prove-patch.js'
import { referenceTo } from '../../../dist/kubernetes/object.js'
import { DEFAULT_RULES } from '../../../dist/rules/configuration.js'
import { probesRule } from '../../../dist/rules/probes/probes-rule.js'

const SETTINGS = ['auto', 'agent', 'auto', 'port', 'auto', 'exec']
const out = createWriteStream(process.argv[2])
const installs = new Map()
let unchanged = 0

for await (const line of createInterface({ input: process.stdin })) {
  const item = JSON.parse(line)
  if (item.install !== undefined) installs.set(item.install, item.objects)
  else patch(item)
}
out.end()
console.log(`pods that the rule leaves: ${unchanged}`)

/** Istio refuses some pods, and cannot redirect others: there is nothing to judge. */
function patch({ index, pod, answer, cluster, installs: ids = [] }) {
  if (answer.denied !== undefined || answer.invalid !== undefined || answer.captured === undefined) return
  const object = withProbePort(pod, index)
  const { state } = buildClusterState([...ids.flatMap((id) => installs.get(id)), ...cluster])
  const configuration = { ...DEFAULT_RULES, probes: SETTINGS[index % SETTINGS.length], exemptNamespaces: [] }
  const request = { operation: 'CREATE', reference: referenceTo(object), object, oldObject: undefined, user: '' }
  const { operations, decisions } = probesRule.apply(request, { mesh: state, configuration })
  if (operations.length === 0) {
    unchanged += 1
    return
  }
  const proof = provePatch(object, operations)
  if (proof.result === undefined) throw new Error(`index ${index}: ${proof.problem}`)
  const ports = decisions.flatMap(({ port }) => (port === undefined ? [] : [port]))
  out.write(`${JSON.stringify({ index, pod: proof.result, ports, decisions, original: pod, before: answer })}\n`)
}

/** Every third pod names a port: one of its own, Istio's, or any. */
function withProbePort(pod, index) {
  if (index % 3 !== 0) return pod
  const own = (pod.spec.containers ?? []).flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort))
  const candidates = [...own, 15021, 8081, 15020]
  const annotations = {
    ...pod.metadata.annotations,
    'istio-onramp.io/probe-port': String(candidates[(index / 3) % candidates.length]),
  }
  return { ...pod, metadata: { ...pod.metadata, annotations } }
}
