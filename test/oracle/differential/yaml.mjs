// npm run differential:yaml -- --count 3000 --seed N: files read here and by kubectl's decoder in Go, and
// pods of every style that preview has patched: Go has to read the printed text as its own reading of the input, patched.
// Needs Go.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import fastJsonPatch from 'fast-json-patch'
import { buildClusterState } from '../../../dist/cluster/cluster-state.js'
import { parseManifests } from '../../../dist/cluster/manifest.js'
import { splitDocuments } from '../../../dist/cluster/manifest-documents.js'
import { preview } from '../../../dist/commands/preview.js'
import { nodesOf } from '../../../dist/kubernetes/yaml-nodes.js'
import { readSimpleYaml } from '../../../dist/kubernetes/yaml-simple.js'
import { valueOf } from '../../../dist/kubernetes/yaml-value.js'
import { DEFAULT_RULES } from '../../../dist/rules/configuration.js'
import { brokenText, oddPod, oddText, randomFrom } from './yaml-texts.mjs'

const ORACLE = fileURLToPath(new URL('..', import.meta.url))
const MOST_SHOWN = 10

/** Every pod of `shop` is injected and STRICT. */
const CLUSTER = buildClusterState(
  parseManifests(
    `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
`,
    'cluster.yaml',
  ).map(({ object }) => object),
).state

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '3000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const random = randomFrom(Number(values.seed))
const problems = [...compareReading(), ...(await comparePatching())]
for (const problem of problems.slice(0, MOST_SHOWN)) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function compareReading() {
  const texts = Array.from({ length: Number(values.count) }, () => (random() < 0.3 ? oddText : brokenText)(random))
  const answers = readInGo(texts)
  const differing = texts.flatMap((text, index) => differenceIn(text, answers[index]))
  const read = answers.filter(({ error }) => error === undefined).length
  console.log(`seed ${values.seed}: ${texts.length} texts, kubectl reads ${read}, ${differing.length} read otherwise`)
  return differing
}

function differenceIn(text, { documents, error }) {
  const ours = readHere(text)
  const shown = JSON.stringify(text)
  if (error !== undefined && ours.problem !== undefined) return []
  if (isKnown(text, error, documents)) return []
  if (error !== undefined) return [`${shown}: read here, refused by kubectl: ${error}`]
  if (ours.problem !== undefined) return [`${shown}: refused here (${ours.problem}), read by kubectl`]
  if (isDeepStrictEqual(ours.documents, documents)) return []
  return [`${shown}: ${JSON.stringify(ours.documents)} here, ${JSON.stringify(documents)} by kubectl`]
}

/**
 * Directives are read here, with a warning. kubectl cannot tell JSON from YAML in less than four bytes, and loses
 * characters after two byte order marks. After a JSON object, what is neither another nor a new document is no object to
 * either, but not the same. Bytes that are no UTF-8 are replaced one by one in Go.
 */
function isKnown(text, error, documents) {
  return (
    (error !== undefined && /^\ufeff?%/m.test(text)) ||
    Buffer.byteLength(text.trim()) < 4 ||
    text.startsWith('\ufeff\ufeff') ||
    (/^\s*\{/.test(text) && /^invalid character/.test(error)) ||
    (/^\s*\{/.test(text) && documents.length > 1 && documents.some((document) => typeof document !== 'object')) ||
    text.includes('!!binary')
  )
}

function readHere(text) {
  const documents = []
  for (const { text: body, isJson, isMarked, problem } of splitDocuments(text)) {
    if (problem !== undefined) return { documents, problem }
    try {
      const value = isJson ? JSON.parse(body) : readYaml(body, isMarked)
      if (value !== null) documents.push(value)
    } catch (error) {
      return { documents, problem: error.message }
    }
  }
  return { documents }
}

function readYaml(text, isMarked) {
  return readSimpleYaml(text) ?? valueOf(nodesOf(text, isMarked)).value ?? null
}

async function comparePatching() {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-yaml-'))
  const pods = []
  for (let count = 0; count < Number(values.count) / 10; count++) {
    const text = oddPod(random)
    const file = join(folder, 'pod.yaml')
    writeFileSync(file, text)
    const [yaml, json] = [await previewed(file, 'yaml'), await previewed(file, 'json')]
    pods.push({ text, printed: yaml, patch: JSON.parse(json)[0].patch })
  }
  rmSync(folder, { recursive: true })
  const before = readInGo(pods.map(({ text }) => text))
  const after = readInGo(pods.map(({ printed }) => printed))
  const differing = pods.flatMap(({ text, printed, patch }, index) => {
    const [given] = before[index].documents
    const expected = fastJsonPatch.applyPatch(structuredClone(given), patch).newDocument
    return patch.length > 0 && isDeepStrictEqual(after[index].documents, [expected])
      ? []
      : [`a pod is printed otherwise than patched (${after[index].error ?? 'it is read'}):\n${text}\n=====\n${printed}`]
  })
  console.log(`seed ${values.seed}: ${pods.length} pods patched, ${differing.length} printed otherwise`)
  return differing
}

async function previewed(file, format) {
  let text = ''
  const options = {
    files: [file],
    format,
    hasColor: false,
    namespace: 'shop',
    all: true,
    configuration: { ...DEFAULT_RULES, probes: 'exec' },
  }
  const { problems: found } = await preview(options, CLUSTER, {
    write: (piece) => (text += piece),
    tell: () => undefined,
  })
  if (found.length > 0) throw new Error(found.join('\n'))
  return text
}

function readInGo(texts) {
  const input = texts.map((text) => `${JSON.stringify(text)}\n`).join('')
  const options = { cwd: ORACLE, input, encoding: 'utf8', maxBuffer: 1 << 28 }
  const { status, stdout, stderr, error } = spawnSync('go', ['run', './yaml'], options)
  const lines = (stdout ?? '').split('\n').slice(0, -1)
  if (status !== 0 || lines.length !== texts.length) {
    console.error(`differential: kubectl's library gave no answer: ${error?.message ?? stderr}`)
    process.exit(2)
  }
  return lines.map((line) => JSON.parse(line))
}
