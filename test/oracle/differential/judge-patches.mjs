// Judges what our rule made of the oracle's pods by what Istio makes of them (the oracle's lines on standard input): nothing
// that worked may break, and every probe or hook that the rule mended, or left to Istio, has to work. Counts each mix of
// strategies under `auto`, and fails if one did not come up among many. Usage: judge-patches.mjs FILE LEAST, as patch-pods.mjs wrote it
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { failureOf, isOwnFault } from './verdict.mjs'

const MOST_SHOWN = Number(process.env.MOST_SHOWN ?? 20)
/** So many patched pods have every mix among them; in fewer, one may be missing by chance. */
const ENOUGH_FOR_MIXES = 3000
const [file, least] = process.argv.slice(2)
/**
 * The mixes that one pod can have beside the Istio that the oracle runs. `leave` is a probe that Istio serves itself: then the
 * pod need not ask, so it never meets `agent`; and it meets `port` only with an older Istio, which does not rewrite all kinds
 * of handlers (test/rules/probe-strategies.test.ts).
 */
const MIXES = ['leave', 'port', 'agent', 'exec', 'exec+leave', 'agent+port', 'exec+port', 'agent+exec'].concat([
  'agent+exec+port',
])
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
const mixes = new Map(MIXES.map((mix) => [mix, 0]))
const settings = new Map()
let [pods, patchedPods, checks, leftToIstio, disagreements] = [0, 0, 0, 0, 0]

const sent = new Map()
for await (const line of createInterface({ input: createReadStream(file) })) {
  const entry = JSON.parse(line)
  sent.set(entry.index, entry)
}
for await (const line of createInterface({ input: process.stdin })) {
  const { install, index, answer } = JSON.parse(line)
  if (install === undefined) report(sent.get(index), answer)
}

console.log(`patched pods after Istio's injection, by setting: ${counts(settings)}`)
console.log(`pods under auto, by strategies: ${counts(mixes)}`)
console.log(`left as they were, though Istio's own rewriting breaks them: ${leftToIstio}`)
console.log(
  `${pods} pods, ${patchedPods} of them patched, ${checks} probes and hooks judged, ${disagreements} disagreements`,
)
const missing = [...mixes].filter(([, count]) => count === 0).map(([mix]) => mix)
if (missing.length > 0) console.log(`no pod of these mixes: ${missing.join(', ')}`)
if (patchedPods < Number(least)) console.log(`fewer than ${least} patched pods`)
const isMixed = missing.length === 0 || Number(least) < ENOUGH_FOR_MIXES
if (disagreements > 0 || !isMixed || patchedPods < Number(least)) process.exitCode = 1

function counts(map) {
  return [...map].map(([key, count]) => `${key} ${count}`).join(', ')
}

function report(entry, answer) {
  pods += 1
  const { setting, isPatched, decisions } = entry
  if (isPatched) patchedPods += 1
  if (isPatched) settings.set(setting, (settings.get(setting) ?? 0) + 1)
  const mix = mixOf(decisions)
  if (setting === 'auto' && mix !== '') mixes.set(mix, (mixes.get(mix) ?? 0) + 1)
  for (const problem of judge(entry, answer)) {
    disagreements += 1
    if (disagreements <= MOST_SHOWN) console.log(`case ${entry.index} (${setting}): ${problem}`)
  }
}

function mixOf(decisions) {
  const used = decisions.flatMap(({ action, strategy, reason }) =>
    action === 'leave' ? (reason === 'istio-rewrites' ? ['leave'] : []) : [strategy],
  )
  return [...new Set(used)].toSorted().join('+')
}

function judge({ decisions, pod, original, before }, after) {
  if (after.denied !== undefined) return [`Istio denies the patched pod: ${after.denied.slice(0, 200)}`]
  if (after.invalid !== undefined) return [`the API server refuses the patched pod: ${after.invalid}`]
  if (after.agent?.fails !== undefined && before.agent?.fails === undefined)
    return [`Istio's agent does not start: ${after.agent.fails}`]
  return after.probes.flatMap((probe) => {
    const { container, init, slot } = probe
    const decision = decisions.find((entry) => entry.container === container && entry.slot === slot)
    if (decision === undefined) return []
    checks += 1
    const name = `${container} ${slot} (${decision.action} ${decision.strategy ?? ''} ${decision.reason})`
    const was = before.probes.find((one) => one.container === container && one.init === init && one.slot === slot)
    const failure = failureOf(probe, pod, after)
    if (failure === undefined) return []
    if (failureOf(was, original, before) === undefined) return [`${name} worked before the patch: ${failure}`]
    if (decision.action === 'leave' && decision.reason !== 'istio-rewrites' && LEFT.has(decision.reason)) return []
    if (decision.action !== 'leave' || isOwnFault(was, original, before)) return [`${name}: ${failure}`]
    leftToIstio += 1
    return []
  })
}
