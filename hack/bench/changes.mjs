// What one object's change costs in clusters of different sizes: a new snapshot, and the first decision by it.
import { performance } from 'node:perf_hooks'
import { stateOf } from '../../dist/cluster/cluster-state.js'
import { withEvent, withListing } from '../../dist/cluster/live/table-updates.js'
import { resourcesFor, targetsOf } from '../../dist/cluster/live/watch-target.js'
import { buildTable, EMPTY_TABLES } from '../../dist/cluster/tables.js'
import { rowKey } from '../../dist/cluster/resources.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { probesRule } from '../../dist/rules/probes/probes-rule.js'
import { INJECTION, makeNamespace, makePolicy, makeService, SIZE } from '../scale/objects.mjs'
import { median } from './decisions.mjs'
import { podOfSize } from './reviews.mjs'

const ROUNDS = 7
const CHANGES = 200
const SMALL = { namespaces: 10, services: 20, policies: 5 }
const TARGETS = targetsOf(resourcesFor('all'), ['istio-system'])

export function benchChanges() {
  const small = clusterOf(SMALL)
  const large = clusterOf(SIZE)
  const { namespaces, services, policies } = SIZE
  console.log(
    `\nOne object's change, with the first decision after it, in a cluster of ${namespaces} namespaces, ${services} services and ${policies} policies against one of a thousandth`,
  )
  row('a namespace', small, large, changeNamespace)
  row('a service', small, large, changeService)
  row('a policy', small, large, changePolicy)
  row('no change', small, large, () => undefined)
  const crowded = clusterOf({ namespaces: 1, services: 1, policies })
  row(`a policy among ${policies} of its own namespace`, small, crowded, changePolicy)
  console.log(`  for comparison, a copy of one table of ${services} rows: ${copyCost(services).toFixed(2)} ms`)
}

function row(title, small, large, change) {
  const times = [small, large].map(() => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, live] of [small, large].entries()) times[index].push(timeChanges(live, change))
  const [floor, ours] = times.map(median)
  console.log(
    `  ${title.padEnd(44)} ${floor.toFixed(3).padStart(7)} ms ${ours.toFixed(3).padStart(7)} ms   x${(ours / floor).toFixed(2)}`,
  )
}

/** Milliseconds a change. */
function timeChanges(live, change) {
  const started = performance.now()
  for (let count = 0; count < CHANGES; count++) {
    change(live, count)
    probesRule.apply(REQUEST, { mesh: live.state, configuration: DEFAULT_RULES })
  }
  return (performance.now() - started) / CHANGES
}

const REQUEST = {
  operation: 'CREATE',
  reference: { apiVersion: 'v1', kind: 'Pod', namespace: 'scale-0', name: 'web' },
  object: { ...podOfSize(3_000), metadata: { labels: { 'app.kubernetes.io/name': 'web', app: 'app-0' } } },
  oldObject: undefined,
  user: '',
}

function changeNamespace(live, count) {
  const object = makeNamespace(0)
  send(live, 'namespaces', {
    ...object,
    metadata: { ...object.metadata, annotations: { 'istio.io/x': String(count) } },
  })
}

function changeService(live, count) {
  const object = makeService(0)
  send(live, 'services', { ...object, spec: { ...object.spec, ports: [{ name: 'http', port: 1 + count }] } })
}

function changePolicy(live, count) {
  const object = makePolicy(0)
  const mtls = { mode: count % 2 === 0 ? 'STRICT' : 'PERMISSIVE' }
  send(live, 'peerauthentications', { ...object, spec: { ...object.spec, mtls } })
}

function send(live, table, object) {
  const target = TARGETS.find(({ resource }) => resource.table === table)
  live.replace(withEvent(live.tables, target, { type: 'MODIFIED', object }, unreadable))
}

function unreadable(key, { field, problem }) {
  throw new Error(`${key.namespace}/${key.name}: ${field}: ${problem}`)
}

/** As after the first lists: the tables that a LiveCluster holds, and the snapshot that it makes of them when asked. */
function clusterOf({ namespaces, services, policies }) {
  const make = (count, one) => Array.from({ length: count }, (_, index) => one(index, namespaces))
  const listed = {
    namespaces: make(namespaces, makeNamespace),
    services: make(services, makeService),
    peerauthentications: make(policies, makePolicy),
    mutatingwebhookconfigurations: [INJECTION],
  }
  let tables = EMPTY_TABLES
  for (const target of TARGETS) {
    const rows = buildTable()
    for (const object of listed[target.resource.table] ?? [])
      rows.put(rowKey(target.resource, object), target.resource.read(object))
    tables = withListing(tables, target, { rows: rows.table(), unreadable: [] })
  }
  return held(tables)
}

function held(initial) {
  let [tables, state] = [initial, undefined]
  return {
    get tables() {
      return tables
    },
    get state() {
      return (state ??= stateOf(tables))
    },
    replace(changed) {
      ;[tables, state] = [changed, undefined]
    },
  }
}

function copyCost(rows) {
  const table = new Map(Array.from({ length: rows }, (_, index) => [`service-${index}`, index]))
  const times = Array.from({ length: ROUNDS }, () => {
    const started = performance.now()
    const copy = new Map(table)
    return copy.size === rows ? performance.now() - started : NaN
  })
  return median(times)
}
