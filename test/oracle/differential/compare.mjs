// Compares istio-onramp's answers with Istio's own, which the oracle (test/oracle) prints one case a line.
// Prints every disagreement and a count of what was compared; exits 1 on any disagreement.
import { createInterface } from 'node:readline'
import { readPodTemplate } from '../../../dist/kubernetes/pod-template.js'
import { decideSidecar } from '../../../dist/istio/sidecar.js'
import { uncapturedBecause } from '../../../dist/istio/capture.js'
import { agentPath, isRewrittenKind } from '../../../dist/istio/agent-probe.js'
import { modeOfPort, workloadModes } from '../../../dist/istio/peer-authentication.js'
import { workloadNameOf } from '../../../dist/istio/workload-name.js'
import { clusterReader } from './clusters.mjs'

const MOST_SHOWN = Number(process.env.MOST_SHOWN ?? 20)
/** Istio's own containers are skipped: no rule ever changes them. */
const ISTIO_CONTAINERS = new Set(['istio-proxy', 'istio-init', 'istio-validation'])
const compared = { denied: 0, injected: 0, rewritten: 0, captured: 0, modes: 0 }
let disagreements = 0

const read = clusterReader((item, state, problems) => {
  for (const problem of compareCase(item, state, problems)) {
    disagreements += 1
    if (disagreements <= MOST_SHOWN) console.log(`seed ${item.seed} case ${item.index}: ${problem}`)
  }
})
for await (const line of createInterface({ input: process.stdin })) read(line)
const total = Object.values(compared).reduce((sum, count) => sum + count, 0)
console.log(
  Object.entries(compared)
    .map(([what, count]) => `${what} ${count}`)
    .join(', '),
)
console.log(`${total - disagreements} passed, ${disagreements} failed`)
if (disagreements > 0 || total === 0) process.exitCode = 1

function compareCase({ pod, answer }, state, problems) {
  // A crash of the injector is not a decision: the API server then follows failurePolicy.
  if (answer.denied?.includes('panicked') === true) return []
  if (problems.length > 0) return problems.map(({ field, problem }) => `cannot read the cluster: ${field}: ${problem}`)
  const template = readPodTemplate('Pod', pod)
  const { namespace } = pod.metadata
  const sidecar = decideSidecar({ namespace, template, workloadName: workloadNameOf(pod) }, state)
  const ours = (text) => `${text}; ours: ${sidecar.state} ${sidecar.evidence}`
  compared.denied += 1
  const isDenied = answer.denied !== undefined
  if ((sidecar.state === 'refused') !== isDenied)
    return [ours(isDenied ? `Istio denies (${answer.denied.slice(0, 200)})` : 'Istio does not deny')]
  // What the API server would refuse afterwards cannot run, so nothing about it can be wrong.
  if (isDenied || answer.invalid !== undefined) return []
  compared.injected += 1
  if ((sidecar.state === 'present') !== answer.injected) return [ours(`injected is ${answer.injected}`)]
  return sidecar.state === 'present' ? comparePresent(sidecar, template, namespace, state, answer) : []
}

function comparePresent(sidecar, template, namespace, state, answer) {
  return [
    ...compareProbes(sidecar, template, answer),
    ...comparePorts(
      answer.captured ?? {},
      'captured',
      (port) => uncapturedBecause(sidecar.capture, port) === undefined,
    ),
    ...compareModes(sidecar, namespace, state, answer),
  ]
}

function compareProbes({ rewriting }, template, answer) {
  return answer.probes.flatMap(({ container: name, init, slot, after }) => {
    if (ISTIO_CONTAINERS.has(name)) return []
    const container = template.containers.find((entry) => entry.name === name && entry.init === init)
    const check = container?.checks.find((entry) => entry.slot === slot)
    if (check === undefined || 'problem' in check.handler) return [`${name} ${slot}: not read`]
    compared.rewritten += 1
    const isRewritten = rewriting.state === 'on' && isRewrittenKind(check.handler, container, slot, rewriting.version)
    const mine = isRewritten
      ? rewrittenByIstio(check.handler, agentPath(name, slot), rewriting.statusPort)
      : check.handler
    const theirs = after?.[mine.kind]
    const same =
      theirs !== undefined &&
      ['port', 'path', 'host', 'scheme', 'service'].every((key) => (theirs[key] ?? '') === (mine[key] ?? ''))
    return same
      ? []
      : [`${name} ${slot}: becomes ${JSON.stringify(after)}, ours ${JSON.stringify(mine)} (${rewriting.evidence})`]
  })
}

/** The host of an httpGet stays, HTTPS becomes HTTP; every other handler becomes a bare httpGet. */
function rewrittenByIstio(handler, path, port) {
  const host = handler.kind === 'httpGet' ? handler.host : ''
  return { kind: 'httpGet', scheme: 'HTTP', host, path, port }
}

function comparePorts(ports, what, ask) {
  return Object.entries(ports).flatMap(([port, theirs]) => {
    compared[what] += 1
    const mine = ask(Number(port))
    return mine === theirs ? [] : [`port ${port}: ${what} is ${theirs}, ours ${mine}`]
  })
}

function compareModes({ controlPlane, labels }, namespace, state, answer) {
  const { revision, rootNamespace } = controlPlane
  const modes = workloadModes(state.policies, { namespace, labels, revision, rootNamespace })
  return comparePorts(answer.modes ?? {}, 'modes', (port) => modeOfPort(modes, port).mode)
}
