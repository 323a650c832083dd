// npm run fuzz -- --minutes N [--seed S] [--index I]: random reviews, in process and over the wire, from real objects. Where Go is
// installed, the API server's own decoding and patching judges the patches as well. Prints the seed and index of a
// failure; `--index` is that review once more.
import { readFileSync, readdirSync } from 'node:fs'
import { Agent } from 'node:https'
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { clusterFromFiles } from '../../dist/cluster/cluster-from-files.js'
import { DEFAULT_CONFIGURATION } from '../../dist/config.js'
import { CLUSTER, isAlive, post, resident, startServer, stopServer } from '../attack/server.mjs'
import { judge } from './judge.mjs'
import { createRandom } from './random.mjs'
import { varied } from './vary.mjs'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, index: { type: 'string' } },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const until = performance.now() + Number(values.minutes) * 60_000
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAMESPACES = [
  'shop',
  'rewritten',
  'agent',
  'prepared',
  'ambient',
  'locked',
  'plain',
  'default',
  'nonexistent',
  'istio-system',
  '',
]
const WIRE_SHARE = 0.02

const failures = new Map()
const fail = (index, problem) => {
  const kind = problem.replace(/\d+/g, 'N').slice(0, 90)
  const known = failures.get(kind)
  failures.set(kind, { count: (known?.count ?? 0) + 1, first: known?.first ?? `${index}: ${problem.slice(0, 600)}` })
}

const bases = readBases()
const contexts = await readContexts()
const server = await startServer()
const agent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 4 })
const oracle = startOracle()
const statuses = {}
let index = Number(values.index ?? 0)
let patches = 0
console.log(
  `seed ${seed}, ${bases.length} objects, ${oracle === undefined ? "without Go: the API server's decoding does not judge" : "judged by the API server's decoding"}`,
)
while (performance.now() < until) {
  const random = createRandom(Math.imul(seed, 2_654_435_761) ^ Math.imul(index + 1, 40_503))
  const review = randomReview(random)
  try {
    const { problems, operations, after } = judge(review, random.pick(contexts))
    if (values.index !== undefined) console.log(JSON.stringify({ review, operations, after, problems }, null, 1))
    for (const problem of problems) fail(index, problem)
    if (operations !== undefined && problems.length === 0) {
      patches += 1
      await oracle?.judge(index, review.request.object, operations, after)
    }
  } catch (error) {
    fail(index, `thrown: ${error.stack.split('\n').slice(0, 3).join(' ')}`)
  }
  if (random.chance(WIRE_SHARE)) await overTheWire(review, random)
  index += 1
  if (values.index !== undefined) break
}
await oracle?.end()
const { most } = isAlive(server) ? resident(server) : { most: 0 }
if (!isAlive(server)) fail(index, `the server ended: ${JSON.stringify(server.exit)}`)
await stopServer(server)
agent.destroy()
for (const [, { count, first }] of failures) console.log(`FAIL ${count} times, first at ${first}`)
console.log(
  `${index} reviews, ${patches} patches, over the wire ${JSON.stringify(statuses)}, server ${most} MiB at most, ${failures.size} kinds of failure (seed ${seed})`,
)
process.exit(failures.size === 0 && index > 0 ? 0 : 1)

function readBases() {
  const folder = `${ROOT}/test/golden`
  const files = readdirSync(folder).filter((name) => /^(ingress|pod|probes|template)-/.test(name))
  const documents = files.flatMap((name) => parseAllDocuments(readFileSync(`${folder}/${name}/object.yaml`, 'utf8')))
  const objects = documents.map((document) => document.toJS()).map((object) => object?.request?.object ?? object)
  return objects.filter((object) => typeof object?.kind === 'string')
}

async function readContexts() {
  const rules = DEFAULT_CONFIGURATION.rules
  const states = [await clusterFromFiles([CLUSTER]), await clusterFromFiles([`${ROOT}/examples/cluster`])]
  return states.flatMap((mesh) => [
    { mesh, configuration: rules },
    { mesh, configuration: { ...rules, templates: 'rewrite', prober: { ...rules.prober, delivery: 'image-volume' } } },
    { mesh, configuration: { ...rules, ingressExemptions: 'none', probes: 'exec' } },
  ])
}

function randomReview(random) {
  const base = random.pick(bases)
  const object = varied(base, random.pick([0, 1, 1, 2, 3, 5, 8]), random)
  const namespace = random.pick(NAMESPACES)
  const isUpdate = random.chance(0.3)
  const [group, version] = base.apiVersion?.includes('/') ? base.apiVersion.split('/') : ['', 'v1']
  const request = {
    uid: `u-${random.below(1e9)}`,
    kind: { group, version, kind: base.kind },
    operation: isUpdate ? 'UPDATE' : 'CREATE',
    namespace,
    name: object?.metadata?.name,
    userInfo: { username: 'dev' },
    object,
    oldObject: isUpdate ? varied(random.chance(0.5) ? object : base, random.below(2), random) : null,
  }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
}

/** As it is, or with bytes or values replaced. An answer is a review with its uid, or 400. */
async function overTheWire(review, random) {
  let body = Buffer.from(JSON.stringify(review))
  const isBroken = random.chance(0.5)
  if (isBroken) {
    body = Buffer.from(body)
    for (let count = random.below(4); count >= 0; count--) body[random.below(body.length)] = random.below(256)
  }
  const answer = await post(server, random.pick(['/mutate', '/validate']), body, { agent, timeout: 20_000 })
  statuses[answer.status ?? answer.error] = (statuses[answer.status ?? answer.error] ?? 0) + 1
  const expected = uidOf(body)
  if (answer.status === 200 && answer.json?.response?.uid !== expected)
    fail(index, `answered for ${answer.json?.response?.uid}`)
  if (answer.status !== 200 && !(isBroken && answer.status === 400))
    fail(index, `answered ${answer.status ?? answer.error}: ${answer.text}`)
  if (answer.milliseconds > 5000) fail(index, `answered after ${answer.milliseconds} ms`)
}

function uidOf(body) {
  try {
    return JSON.parse(body.toString())?.request?.uid
  } catch {
    return undefined
  }
}

/** test/oracle/patches: one line in, one line out. */
function startOracle() {
  const program = `${ROOT}/test/oracle/patches`
  if (spawnSync('go', ['version']).status !== 0) return undefined
  const built = spawnSync('go', ['build', '-o', `${server.folder}/patches`, '.'], { cwd: program, stdio: 'inherit' })
  if (built.status !== 0) throw new Error('the oracle was not built')
  const child = spawn(`${server.folder}/patches`, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async judge(at, object, patch, after) {
      child.stdin.write(`${JSON.stringify({ kind: object.kind, object, patch, after })}\n`)
      const { error, differs, skipped } = JSON.parse((await answers.next()).value)
      if (skipped !== true && error) fail(at, `the API server refuses the patch: ${error}`)
      if (skipped !== true && differs === true) fail(at, 'the API server comes to another object')
    },
    async end() {
      child.stdin.end()
    },
  }
}
