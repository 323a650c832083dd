// The cost of one decision in clusters of different sizes, and of building the policy index.
import { performance } from 'node:perf_hooks'
import { buildClusterState } from '../../dist/cluster/cluster-state.js'
import { indexNamespace } from '../../dist/istio/policy-index.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { probesRule } from '../../dist/rules/probes/probes-rule.js'
import { podOfSize } from './reviews.mjs'

const ROUNDS = 7
const DECISIONS = 4000

export async function benchDecisions() {
  const object = podOfSize(3_000)
  const request = {
    operation: 'CREATE',
    reference: { apiVersion: 'v1', kind: 'Pod', namespace: 'ns-7', name: 'web' },
    object,
    oldObject: undefined,
    user: '',
  }
  const clusters = [
    ['10 namespaces, 10 policies', clusterOf(10, 10)],
    ['10,000 namespaces, 10 policies', clusterOf(10_000, 10)],
    ['10 namespaces, 10,000 policies', clusterOf(10, 10_000)],
    ['10,000 namespaces, 10,000 policies', clusterOf(10_000, 10_000)],
  ]
  const times = clusters.map(() => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, [, mesh]] of clusters.entries())
      times[index].push(timeDecisions(request, { mesh, configuration: DEFAULT_RULES }))
  console.log('\nOne decision (pod of 3 KB, two probes), rounds interleaved')
  const floor = median(times[0])
  for (const [index, [title]] of clusters.entries())
    console.log(
      `  ${title.padEnd(36)} ${median(times[index]).toFixed(1).padStart(6)} us   x${(median(times[index]) / floor).toFixed(2)}`,
    )
  const policies = readPolicies(10_000)
  const namespaces = Array.from({ length: 100 }, (_, index) =>
    policies.filter(({ namespace }) => namespace === `ns-${index}`),
  )
  const builds = Array.from({ length: ROUNDS }, () => timed(() => namespaces.map(indexNamespace)))
  console.log(`  index of 10,000 policies             ${median(builds).toFixed(1).padStart(6)} ms`)
}

function timeDecisions(request, context) {
  return (
    (timed(() => {
      for (let count = 0; count < DECISIONS; count++) probesRule.apply(request, context)
    }) *
      1000) /
    DECISIONS
  )
}

function timed(action) {
  const started = performance.now()
  action()
  return performance.now() - started
}

function clusterOf(namespaces, policies) {
  const spaces = Array.from({ length: namespaces }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `ns-${index}`, labels: { 'istio-injection': 'enabled' } },
  }))
  const strict = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { namespace: 'ns-7', name: 'default' },
    spec: { mtls: { mode: 'STRICT' } },
  }
  const selecting = Array.from({ length: policies }, (_, index) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { namespace: index % 2 === 0 ? 'ns-7' : `ns-${index}`, name: `p-${index}` },
    spec: { selector: { matchLabels: { app: `app-${index}` } }, mtls: { mode: 'PERMISSIVE' } },
  }))
  return buildClusterState([...spaces, strict, ...selecting]).state
}

function readPolicies(count) {
  return Array.from({ length: count }, (_, index) => ({
    namespace: `ns-${index % 100}`,
    name: `p-${index}`,
    createdAt: (index * 7919) % count,
    revision: undefined,
    matchLabels: new Map(index % 3 === 0 ? [] : [['app', `app-${index}`]]),
    mode: 'STRICT',
    portLevel: new Map(),
  }))
}

export function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]
}
