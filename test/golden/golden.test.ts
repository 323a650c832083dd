// Whole reviews and whole conversions as files: test/golden/README.md says how a case is laid out. `npm run golden` rewrites
// what is expected; otherwise any difference fails.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { applyPatch, type Operation } from 'rfc6902'
import t, { type Test } from 'tap'
import { Document, isMap, isSeq } from 'yaml'
import { admit } from '../../src/admission/admit.ts'
import { decodeReview, encodeReview } from '../../src/admission/review.ts'
import { clusterFromFiles } from '../../src/cluster/cluster-from-files.ts'
import { readManifests } from '../../src/cluster/manifest-files.ts'
import { convert } from '../../src/commands/convert.ts'
import { DEFAULT_CONFIGURATION, readConfiguration } from '../../src/config.ts'
import { DEFAULT_GATEWAY_API } from '../../src/conversion/model/gateway-api-settings.ts'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import { member, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { referenceTo } from '../../src/kubernetes/object.ts'
import type { RuleContext } from '../../src/rules/rule.ts'
import { review } from '../support/reviews.ts'

const FOLDER = 'test/golden'
const IS_REWRITING = process.env['GOLDEN'] === 'rewrite'
const KNOWN_FILES = new Set(['cluster.yaml', 'configuration.yaml', 'object.yaml', 'expected.yaml'])
const KNOWN_FILES_OF_CONVERSION = new Set([...KNOWN_FILES, 'expected-gateway-api.yaml'])

const entries = await readdir(FOLDER, { withFileTypes: true })
const cases = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)

t.test('there are cases, and each says at its head what it shows', async (t) => {
  t.ok(cases.length >= 40, `${cases.length} cases`)
  for (const name of cases) {
    const text = await readFile(`${FOLDER}/${name}/object.yaml`, 'utf8')
    t.match(text, /^(?:# .+\n)*# .+\.\n(?!#)/, `${name}/object.yaml begins with a comment of whole sentences`)
  }
})

for (const name of cases) {
  const folder = `${FOLDER}/${name}`
  const files = new Set(await readdir(folder))
  t.test(name, async (t) => {
    const isReview = files.has('cluster.yaml')
    const known = isReview ? KNOWN_FILES : KNOWN_FILES_OF_CONVERSION
    t.same(
      [...files].filter((file) => !known.has(file)),
      [],
      'no file that nothing reads',
    )
    if (isReview) return compare(t, `${folder}/expected.yaml`, await reviews(folder, files))
    await compare(t, `${folder}/expected.yaml`, await conversion(folder, files, 'istio'))
    return compare(t, `${folder}/expected-gateway-api.yaml`, await conversion(folder, files, 'gateway-api'))
  })
}

async function compare(t: Test, file: string, actual: string): Promise<void> {
  if (IS_REWRITING) await writeFile(file, actual)
  const expected = await readFile(file, 'utf8').catch(() => '')
  t.equal(actual, expected, `${file}; if the change is meant, run npm run golden`)
}

/** One document for each object of `object.yaml`, in its order. */
async function reviews(folder: string, files: ReadonlySet<string>): Promise<string> {
  const { rules } = await configurationOf(folder, files)
  const context: RuleContext = { mesh: await clusterFromFiles([`${folder}/cluster.yaml`]), configuration: rules }
  const manifests = await readManifests([`${folder}/object.yaml`])
  return manifests.map(({ object }) => answerTo(object, context)).join('---\n')
}

/** What the API server would be answered, and the object that it would go on with. */
function answerTo(given: JsonObject, context: RuleContext): string {
  const request = decodeReview(member(given, 'kind') === 'AdmissionReview' ? given : createReview(given))
  if ('problem' in request) throw new Error(`${request.field}: ${request.problem}`)
  const verdict = admit(request, context)
  const response = (JSON.parse(encodeReview(request, verdict)) as { response: JsonObject }).response
  const { kind, namespace, name } = request
  const answer = new Document({
    allowed: response['allowed'],
    ...(response['status'] === undefined ? {} : { message: member(response['status'], 'message') }),
    ...(response['warnings'] === undefined ? {} : { warnings: response['warnings'] }),
    ...(response['auditAnnotations'] === undefined ? {} : { auditAnnotations: response['auditAnnotations'] }),
    decisions: verdict.decisions,
    object: response['patch'] === undefined ? 'unchanged' : patched(request.object, String(response['patch'])),
  })
  const lines = answer.get('decisions', true)
  if (isSeq(lines)) for (const line of lines.items) if (isMap(line)) line.flow = true
  const title = `# ${request.operation} ${kind} ${namespace}/${name === '' ? '*' : name}\n`
  return title + answer.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** The review of a `kubectl create`. */
function createReview(object: JsonObject): JsonObject {
  const { apiVersion, kind, namespace, name } = referenceTo(object)
  const [version = '', group = ''] = apiVersion.split('/').toReversed()
  const about = { kind: { group, version, kind }, namespace, ...(name.endsWith('*') ? {} : { name }) }
  return review({ uid: 'golden', operation: 'CREATE', ...about, object })
}

function patched(object: Json, patch: string): Json {
  const result = structuredClone(object)
  const errors = applyPatch(result, JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[])
  if (errors.some((error) => error !== null)) throw new Error(`the patch does not apply: ${errors.join(', ')}`)
  return result
}

/** Just what `istio-onramp convert -f test/golden/CASE/object.yaml --to TARGET` prints. */
async function conversion(folder: string, files: ReadonlySet<string>, target: Target): Promise<string> {
  const { rules } = await configurationOf(folder, files)
  const { output } = await convert({
    source: { files: [`${folder}/object.yaml`], context: undefined, namespaces: [], controllerConfig: undefined },
    isTerminal: false,
    tell: () => undefined,
    target,
    gatewayApi: DEFAULT_GATEWAY_API,
    format: 'yaml',
    gateway: rules.gateway,
    reportFile: undefined,
    failOn: 'never',
  })
  return output
}

async function configurationOf(folder: string, files: ReadonlySet<string>) {
  return files.has('configuration.yaml') ? readConfiguration(`${folder}/configuration.yaml`) : DEFAULT_CONFIGURATION
}
