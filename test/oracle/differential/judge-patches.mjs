// Judges patched pods by what Istio makes of them (the oracle's lines on standard input): nothing that worked may break, and
// every probe or hook that the rule mended has to work. Usage: judge-patches.mjs FILE, as patch-pods.mjs wrote it.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const MOST_SHOWN = Number(process.env.MOST_SHOWN ?? 20)
/** Left on purpose, whatever Istio makes of it. */
const LEFT = new Set(
  ['tcp-hook', 'other-host', 'unresolvable-port', 'malformed', 'unknown-field', 'windows', 'off', 'ambient'].concat([
    'prober-name-taken',
    'prober-path-taken',
    'istio-container',
    'already-rewritten',
    'served-by-agent',
  ]),
)
const patched = new Map()
for (const line of readFileSync(process.argv[2], 'utf8').split('\n'))
  if (line !== '') {
    const entry = JSON.parse(line)
    patched.set(entry.index, entry)
  }
const strategies = new Map()
let [pods, checks, leftToIstio, disagreements] = [0, 0, 0, 0]

for await (const line of createInterface({ input: process.stdin })) {
  const item = JSON.parse(line)
  if (item.install === undefined) report(item)
}
const mixes = [...strategies].toSorted().map(([mix, count]) => `${mix} ${count}`)
console.log(`patched pods after Istio's injection: ${mixes.join(', ')}`)
console.log(`left as they were, though Istio's own rewriting breaks them: ${leftToIstio}`)
console.log(`${pods} pods, ${checks} probes and hooks judged, ${disagreements} disagreements`)
if (disagreements > 0 || pods === 0) process.exitCode = 1

function report({ seed, index, answer }) {
  const entry = patched.get(index)
  pods += 1
  const used = new Set(entry.decisions.flatMap(({ action, strategy }) => (action === 'leave' ? [] : [strategy])))
  const mix = [...used].toSorted().join('+') || 'merge'
  strategies.set(mix, (strategies.get(mix) ?? 0) + 1)
  for (const problem of judge(entry, answer)) {
    disagreements += 1
    if (disagreements <= MOST_SHOWN) console.log(`seed ${seed} case ${index}: ${problem}`)
  }
}

function judge({ decisions, pod, original, before }, after) {
  if (after.denied !== undefined) return [`Istio denies the patched pod: ${after.denied.slice(0, 200)}`]
  if (after.invalid !== undefined) return [`the API server refuses the patched pod: ${after.invalid}`]
  return after.probes.flatMap(({ container, init, slot, after: handler }) => {
    const decision = decisions.find((entry) => entry.container === container && entry.slot === slot)
    if (decision === undefined) return []
    checks += 1
    const name = `${container} ${slot} (${decision.action} ${decision.strategy ?? ''} ${decision.reason})`
    const was = before.probes.find(
      (probe) => probe.container === container && probe.init === init && probe.slot === slot,
    )
    const failure = failureOf(handler, slot, containerOf(pod, container, init), after)
    if (failure === undefined) return []
    const worked = failureOf(was?.after, slot, containerOf(original, container, init), before) === undefined
    if (worked) return [`${name} worked before the patch: ${failure}`]
    if (decision.action === 'leave' && LEFT.has(decision.reason)) return []
    if (decision.action !== 'leave' || isOwnFault(was, original, container, init, slot, before))
      return [`${name}: ${failure}`]
    leftToIstio += 1
    return []
  })
}

/** Whether mutual TLS breaks the user's own handler, and not only what Istio's rewriting made of it before we came. */
function isOwnFault(was, original, container, init, slot, before) {
  const raw = containerOf(original, container, init)
  const own = slot === 'preStop' || slot === 'postStart' ? raw.lifecycle?.[slot] : raw[slot]
  return unreachable(was?.rewritten ? own : was?.after, slot, raw, before) !== undefined
}

function containerOf({ spec }, name, init) {
  return (init ? spec.initContainers : spec.containers).find((container) => container.name === name)
}

/** Why a handler fails, or always passes, once the pod runs; undefined where it works. */
function failureOf(handler, slot, container, answer) {
  return unreachable(handler, slot, container, answer) ?? unserved(handler, answer)
}

/** Why kubelet does not reach what the handler asks. */
function unreachable(handler, slot, container, answer) {
  const { httpGet, tcpSocket, grpc } = handler ?? {}
  const target = httpGet ?? tcpSocket ?? grpc
  if (target === undefined || !answer.injected) return undefined
  const isHook = slot === 'preStop' || slot === 'postStart'
  if (isHook && tcpSocket !== undefined) return 'kubelet runs no tcpSocket hook'
  if (target.host) return `host ${target.host}`
  const port = numberOf(target.port, container)
  if (port === undefined) return `no port ${target.port}`
  const isStrict = answer.captured?.[port] === true && answer.modes?.[port] === 'STRICT'
  return isStrict ? `port ${port} is captured and STRICT` : undefined
}

/** Why Istio's agent refuses what it is asked. An application may have such a path of its own, on a port of its own. */
function unserved({ httpGet } = {}, { injected, probes, probers }) {
  if (!injected || !isAgentPath(httpGet?.path)) return undefined
  const rewritten = probes.flatMap(({ rewritten, after }) => (rewritten ? [after?.httpGet?.port] : []))
  const isAgents = [15020, ...rewritten].includes(httpGet.port)
  return isAgents && probers?.[httpGet.path] === undefined ? `the agent has no entry for ${httpGet.path}` : undefined
}

function isAgentPath(path = '') {
  return /^\/app-(health|lifecycle)\//.test(path)
}

function numberOf(port, { ports = [] }) {
  return typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort
}
