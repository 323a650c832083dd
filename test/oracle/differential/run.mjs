// npm run differential -- --count 10000 --seed N: Istio's answers for random clusters and pods against istio-onramp's.
// Builds the oracle (needs Go) and pipes its lines to compare.mjs; then the pods that our rule patches go through Istio's
// injection again (patch-pods.mjs, judge-patches.mjs).
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ORACLE = fileURLToPath(new URL('..', import.meta.url))
const COMPARE = fileURLToPath(new URL('compare.mjs', import.meta.url))

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
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
const oracle = spawn(binary, ['--share', '--seed', values.seed, '--count', values.count], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const compare = spawn(process.execPath, [COMPARE], { stdio: [oracle.stdout, 'inherit', 'inherit'] })
const [oracleCode, compareCode] = await Promise.all([exitOf(oracle), exitOf(compare)])
if (oracleCode !== 0) fail(`the oracle ended with ${oracleCode}`)
process.exitCode = compareCode || (await judgePatches())

/** The same pods again, patched by our rule: what Istio makes of them has to work. */
async function judgePatches() {
  const file = join(folder, 'patched.jsonl')
  const again = ['--share', '--seed', values.seed, '--count', values.count]
  const patching = await piped(again, 'patch-pods.mjs', file)
  return patching || (await piped([...again, '--pods', file], 'judge-patches.mjs', file))
}

async function piped(options, script, file) {
  const cases = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const reader = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), file], {
    stdio: [cases.stdout, 'inherit', 'inherit'],
  })
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
