// The patch and the decision for one pod, by exec and by Istio's agent: `auto` chose exec for it before the agent was an option.
import { performance } from 'node:perf_hooks'
import { stringify } from 'yaml'
import { buildClusterState } from '../../dist/cluster/cluster-state.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { probesRule } from '../../dist/rules/probes/probes-rule.js'
import { podOfSize } from './reviews.mjs'

const ROUNDS = 7
const DECISIONS = 2000

export function benchStrategies() {
  const reference = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' }
  const request = { operation: 'CREATE', reference, object: podOfSize(3_000), oldObject: undefined, user: '' }
  const { state: mesh } = buildClusterState(SHOP)
  const contexts = ['exec', 'auto'].map((probes) => ({ mesh, configuration: { ...DEFAULT_RULES, probes } }))
  const times = contexts.map(() => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, context] of contexts.entries()) times[index].push(timeDecisions(request, context))
  console.log('\nOne pod of 3 KB with two probes, patched: before (exec) and with auto, rounds interleaved')
  const sizes = contexts.map((context) => patchSize(request, context))
  for (const [index, title] of ['exec', 'auto'].entries()) {
    const { strategy, operations, bytes } = sizes[index]
    const ratios = `patch x${(bytes / sizes[0].bytes).toFixed(2)}, decision x${(median(times[index]) / median(times[0])).toFixed(2)}`
    console.log(
      `  ${title.padEnd(5)} ${strategy.padEnd(6)} ${operations} operations ${String(bytes).padStart(5)} bytes  ${median(times[index]).toFixed(1).padStart(6)} us   ${ratios}`,
    )
  }
}

function patchSize(request, context) {
  const { operations, decisions } = probesRule.apply(request, context)
  return { strategy: decisions[0].strategy, operations: operations.length, bytes: JSON.stringify(operations).length }
}

/** Microseconds of one decision with its patch. */
function timeDecisions(request, context) {
  const started = performance.now()
  for (let count = 0; count < DECISIONS; count++) probesRule.apply(request, context)
  return ((performance.now() - started) * 1000) / DECISIONS
}

function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]
}

/** A STRICT namespace beside an Istio whose own rewriting is off. */
const SHOP = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } },
  {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { namespace: 'shop', name: 'default' },
    spec: { mtls: { mode: 'STRICT' } },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'istio-system', name: 'istio-sidecar-injector' },
    data: {
      config: stringify({ policy: 'enabled', defaultTemplates: ['sidecar'] }),
      values: JSON.stringify({ sidecarInjectorWebhook: { rewriteAppHTTPProbe: false } }),
    },
  },
]
