// What the command line costs: its start, and `preview` of 75 MB of manifests.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { loadAll } from 'js-yaml'
import { toYaml } from '../../dist/kubernetes/yaml-text.js'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const CLI = here('../../dist/cli.js')
const CLUSTER = here('../../examples/cluster')
const WORKLOADS = here('../../examples/workloads')
const GOLDEN = here('../../test/commands/preview')
const STYLES = [
  'odd-styles.yaml',
  'octal-mode.yaml',
  'own-indentation.yaml',
  'header-comment.yaml',
  'rollout.yaml',
  'list.yaml',
]
const STARTS = 7
const MEGABYTES = Number(process.env['BENCH_MEGABYTES'] ?? 75)

export function benchPreviews() {
  benchStarts()
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-bench-'))
  try {
    writeManifests(folder)
    joinManifests(folder)
    benchFolder(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function benchStarts() {
  console.log(`\nStart of the command line, the fastest of ${STARTS} (aims on an idle core: 150 ms, then 250 ms)`)
  const file = join(WORKLOADS, 'shop.yaml')
  const floor = startOf(['-e', '0'])
  for (const [name, args] of [
    ['node -e 0', ['-e', '0']],
    ['--version', [CLI, '--version']],
    ['preview of one file', [CLI, 'preview', '-f', file, '--from', CLUSTER]],
    ['convert of one file', [CLI, 'convert', '-f', join(WORKLOADS, 'ingresses.yaml')]],
    ['check of a small cluster', [CLI, 'check', '--from', CLUSTER]],
  ]) {
    const time = startOf(args)
    console.log(`  ${name.padEnd(36)} ${time.toFixed(0).padStart(6)} ms   x${(time / floor).toFixed(1)}`)
  }
}

function startOf(args) {
  return Math.min(...Array.from({ length: STARTS }, () => run(args).milliseconds))
}

/** Each run is a process of its own, with the peak of its memory. */
function benchFolder(folder) {
  console.log(`\n${MEGABYTES} MB of manifests (aims: 16 s on an idle core, 400 MiB)`)
  const preview = (format, file = folder) => [CLI, 'preview', '-f', file, '--from', CLUSTER, '-o', format]
  const floor = run([here(import.meta.url), folder])
  for (const [name, { milliseconds, mebibytes }] of [
    ['js-yaml reads the values', floor],
    ['preview -o yaml', run(preview('yaml'))],
    ['preview -o yaml, as one file', run(preview('yaml', join(folder, ONE_FILE)))],
    ['preview', run(preview('text'))],
    ['preview -o json', run(preview('json'))],
    ['restore', run([CLI, 'restore', '-f', folder])],
  ])
    console.log(
      `  ${name.padEnd(36)} ${(milliseconds / 1000).toFixed(1).padStart(6)} s    x${(milliseconds / floor.milliseconds).toFixed(2)}   ${mebibytes.toFixed(0)} MiB at most`,
    )
}

const REPORT_MEMORY = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,String(process.resourceUsage().maxRSS)))`

function run(args) {
  const nowhere = openSync('/dev/null', 'w')
  const started = performance.now()
  const { output } = spawnSync(process.execPath, ['--import', REPORT_MEMORY, ...args], {
    stdio: ['ignore', nowhere, nowhere, 'pipe'],
  })
  return { milliseconds: performance.now() - started, mebibytes: Number(String(output[3])) / 1024 }
}

/** As folders are that people have: workloads among definitions and dashboards, which are most of the bytes. */
export function writeManifests(folder) {
  const examples = readdirSync(WORKLOADS).map((name) => readFileSync(join(WORKLOADS, name), 'utf8'))
  const styles = STYLES.map((name) => readFileSync(join(GOLDEN, name), 'utf8'))
  const once = [...examples, ...styles].join('\n---\n')
  for (let bytes = 0, round = 0; bytes < MEGABYTES * 1_000_000; round++) {
    const files = {
      'workloads.yaml': once,
      'definition.yaml': toYaml(definition(round)),
      'dashboard.yaml': toYaml(dashboard(round)),
    }
    const team = join(folder, `team-${round}`)
    mkdirSync(team)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(team, name), text)
    bytes += Object.values(files).reduce((sum, text) => sum + text.length, 0)
  }
}

/** The name is not that of a manifest, so that it is not read with the folder. */
const ONE_FILE = 'all.txt'

function joinManifests(folder) {
  const one = openSync(join(folder, ONE_FILE), 'w')
  for (const name of readdirSync(folder, { recursive: true }))
    if (name.endsWith('.yaml')) writeFileSync(one, `---\n${readFileSync(join(folder, name), 'utf8')}\n`)
  closeSync(one)
}

function definition(round) {
  const field = (depth) => ({
    type: 'object',
    description: `A field of depth ${depth}, as generators of definitions describe it: in a few lines that say what it is for, "quoted" and all.`,
    properties: Object.fromEntries(
      depth === 0
        ? ['name', 'size', 'mode'].map((name) => [name, { type: 'string', description: 'A word.', maxLength: 63 }])
        : ['first', 'second', 'third', 'fourth'].map((name) => [name, field(depth - 1)]),
    ),
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things${round}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: `Thing${round}`, plural: `things${round}` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: field(3) } }],
    },
  }
}

function dashboard(round) {
  const panels = Array.from({ length: 80 }, (_, id) => ({
    id,
    title: `Panel ${id} of ${round}`,
    targets: [{ expr: `sum(rate(requests_total{panel="${id}"}[5m])) by (service)`, refId: 'A' }],
    gridPos: { x: 0, y: id, w: 24, h: 8 },
  }))
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `dashboard-${round}`, namespace: 'monitoring' },
    data: { 'dashboard.json': `${JSON.stringify({ panels }, null, 2)}\n` },
  }
}

if (process.argv[1] === here(import.meta.url))
  for (const name of readdirSync(process.argv[2], { recursive: true }))
    if (name.endsWith('.yaml'))
      try {
        loadAll(readFileSync(join(process.argv[2], name), 'utf8'))
      } catch {
        // Not what is measured.
      }
