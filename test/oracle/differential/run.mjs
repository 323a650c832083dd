// npm run differential -- --count 10000 --seed N: Istio's answers for random clusters and pods against istio-onramp's.
// Builds the oracle (needs Go) and pipes its lines to compare.mjs. Then at least --patched N pods that our rule patches go
// through Istio's injection (patch-pods.mjs, judge-patches.mjs): 500 unless given, 0 for none.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ORACLE = fileURLToPath(new URL('..', import.meta.url))
/** Two in five of the pods that are drawn to break do, or more. */
const CASES_PER_PATCH = 2.6

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    patched: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
for (const [name, text] of Object.entries(values))
  if (!/^\d+$/.test(text)) fail(`--${name} is ${JSON.stringify(text)}, a whole number is required`)

const folder = mkdtempSync(join(tmpdir(), 'oracle-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const binary = join(folder, 'oracle')
const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: ORACLE, stdio: ['ignore', 'inherit', 'inherit'] })
if (built.error !== undefined) fail(`the oracle needs Go: ${built.error.message}`)
if (built.status !== 0) fail('the oracle does not build')

console.log(`seed ${values.seed}, ${values.count} pods`)
const seed = ['--share', '--seed', values.seed]
process.exitCode = (await piped([...seed, '--count', values.count], 'compare.mjs')) || (await judgePatches())

/** Pods that STRICT breaks, patched by our rule: what Istio then makes of them has to work. */
async function judgePatches() {
  if (values.patched === '0') return 0
  const file = join(folder, 'patched.jsonl')
  const breaking = [...seed, '--breaking', '--count', String(Math.ceil(Number(values.patched) * CASES_PER_PATCH))]
  const code = await piped(breaking, 'patch-pods.mjs', file)
  return code || (await piped([...breaking, '--pods', file], 'judge-patches.mjs', file, values.patched))
}

async function piped(options, script, ...args) {
  const cases = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const path = fileURLToPath(new URL(script, import.meta.url))
  const reader = spawn(process.execPath, [path, ...args], { stdio: [cases.stdout, 'inherit', 'inherit'] })
  const [caseCode, readerCode] = await Promise.all([exitOf(cases), exitOf(reader)])
  if (caseCode !== 0) fail(`the oracle ended with ${caseCode}`)
  return readerCode
}

function exitOf(child) {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

function fail(message) {
  console.error(`differential: ${message}`)
  process.exit(2)
}
