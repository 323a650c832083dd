// What `check` costs by the size of the mesh and in its bad shapes, and what the guard of STRICT costs, alone and for the
// reviews beside it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { admitInSteps } from '../../dist/admission/admit.js'
import { buildClusterState } from '../../dist/cluster/cluster-state.js'
import { layOver } from '../../dist/cluster/lay-over.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { createTurns } from '../../dist/server/turns.js'
import { crowdOf, deploymentOf, meshOf, namespaceOf, podsOf, policiesOf } from './mesh-objects.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const SIZES = [10, 100, 1000, 10_000]

export async function benchChecks() {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-bench-'))
  try {
    benchCommand(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
  await benchGuard()
}

/** JSON is YAML, and costs nothing to write. */
function benchCommand(folder) {
  console.log("\ncheck --assume-strict '*' (aims: 10,000 workloads in 3 s and 300 MiB, linear; the two shapes in 1 s)")
  const shapes = [
    ...SIZES.map((size) => [`${size} workloads`, meshOf(size), size]),
    ['500 Services that select 5,000 pods', crowdOf(500, 5000), 5000],
    ['5,000 policies in one namespace', policiesOf(5000), 5000],
  ]
  const floor = run(['check', '--from', join(folder, write(folder, 'none', [namespaceOf('none')]))])
  for (const [name, objects, count] of shapes) {
    const from = join(folder, write(folder, name, objects))
    const { milliseconds, mebibytes } = run(['check', '--from', from, '--assume-strict', '*', '-o', 'json'])
    const each = ((milliseconds - floor.milliseconds) / count) * 1000
    console.log(
      `  ${name.padEnd(36)} ${(milliseconds / 1000).toFixed(2).padStart(6)} s   ${each.toFixed(0).padStart(5)} us each   ${mebibytes.toFixed(0)} MiB at most`,
    )
  }
}

function write(folder, name, objects) {
  const file = `${name.replaceAll(' ', '-')}.yaml`
  writeFileSync(join(folder, file), objects.map((object) => JSON.stringify(object)).join('\n---\n'))
  return file
}

const REPORT_MEMORY = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,String(process.resourceUsage().maxRSS)))`

function run(args) {
  const nowhere = openSync('/dev/null', 'w')
  const started = performance.now()
  const { output } = spawnSync(process.execPath, ['--import', REPORT_MEMORY, CLI, ...args], {
    stdio: ['ignore', nowhere, 'inherit', 'pipe'],
  })
  return { milliseconds: performance.now() - started, mebibytes: Number(output[3]) / 1024 }
}

async function benchGuard() {
  console.log(
    '\nGuard of STRICT (aims: 2,000 workloads of a namespace in 50 ms, the mesh of 10,000 in 1 s, others wait 50 ms)',
  )
  const large = [...meshOf(10_000), ...podsOf(10_000)]
  for (const [name, objects, namespace] of [
    ['a namespace of 2,000 workloads', oneNamespace(2000), 'large'],
    ['the mesh of 10,000 workloads and pods', large, 'istio-system'],
  ]) {
    const state = buildClusterState(objects).state
    const first = await measure(state, namespace)
    const again = await measure(state, namespace)
    const after = await measure(layOver(state, [deploymentOf('another', 'team-0', 'http://app-1')]).state, namespace)
    for (const [when, { milliseconds, longest }] of [
      ['first', first],
      ['again', again],
      ['after a change', after],
    ])
      console.log(
        `  ${`${name}, ${when}`.padEnd(56)} ${milliseconds.toFixed(0).padStart(5)} ms   others wait ${longest.toFixed(0).padStart(3)} ms at most`,
      )
  }
}

function oneNamespace(count) {
  return [
    ...meshOf(0),
    namespaceOf('large'),
    ...Array.from({ length: count }, (_, index) => deploymentOf(`app-${index}`, 'large', `http://app-${index + 1}`)),
  ]
}

/** Beside the review, a stand-in for other reviews wants every turn of the event loop. */
async function measure(mesh, namespace) {
  const turns = createTurns(10)
  let longest = 0
  let isOver = false
  const beside = (async () => {
    for (let last = performance.now(); !isOver;) {
      await nextTurn()
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  })()
  const started = performance.now()
  await turns(admitInSteps(strictIn(namespace), { mesh, configuration: DEFAULT_RULES }))
  const milliseconds = performance.now() - started
  isOver = true
  await beside
  return { milliseconds, longest }
}

function strictIn(namespace) {
  const object = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'default', namespace },
    spec: { mtls: { mode: 'STRICT' } },
  }
  return {
    uid: '1',
    apiVersion: 'admission.k8s.io/v1',
    operation: 'CREATE',
    kind: 'PeerAuthentication',
    group: 'security.istio.io',
    version: 'v1',
    namespace,
    name: 'default',
    dryRun: false,
    user: 'bench',
    object,
    oldObject: null,
  }
}
