// What preview and restore print of files as people have them: test/commands/preview holds the inputs and what is printed.
// `UPDATE_GOLDEN=1 npx tap test/commands/preview.test.ts` writes the expected files anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { parseManifests } from '../../src/cluster/manifest.ts'
import { preview, type PreviewFormat } from '../../src/commands/preview.ts'
import { restore } from '../../src/commands/restore.ts'
import { DEFAULT_RULES } from '../../src/rules/configuration.ts'
import { propertyRuns } from '../support/property-runs.ts'

const FOLDER = fileURLToPath(new URL('preview/', import.meta.url))

/** Every pod of `shop` is injected and STRICT, and checks run by exec. */
const CLUSTER = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
`
const cluster = buildClusterState(parseManifests(CLUSTER, 'cluster.yaml').map(({ object }) => object)).state
const configuration = { ...DEFAULT_RULES, probes: 'exec' as const }

interface Printed {
  readonly text: string
  readonly told: string
}

async function previewed(file: string, format: PreviewFormat): Promise<Printed> {
  let text = ''
  const told: string[] = []
  const output = { write: (piece: string) => void (text += piece), tell: (line: string) => void told.push(line) }
  const options = { files: [file], format, hasColor: false, namespace: 'shop', all: true, configuration }
  const { problems } = await preview(options, cluster, output)
  return { text, told: [...told, ...problems].map((line) => `${line.replaceAll(FOLDER, '')}\n`).join('') }
}

async function restored(file: string): Promise<string> {
  let text = ''
  await restore([file], 'yaml', { write: (piece) => void (text += piece), tell: () => undefined })
  return text
}

/** Files, and folders. */
const INPUTS = readdirSync(FOLDER).filter((name) => /^[^.]+(?:\.yaml|\.json)?$/.test(name))

for (const name of INPUTS)
  t.test(`preview of ${name}`, async (t) => {
    const yaml = await previewed(FOLDER + name, 'yaml')
    const text = await previewed(FOLDER + name, 'text')
    const actual = `${yaml.text.replaceAll(FOLDER, '')}\n===== told\n${yaml.told.replaceAll(FOLDER, '')}\n===== text\n${text.text.replaceAll(FOLDER, '')}`
    const ofPerson = text.text.replaceAll(/\n---\n[^]*?\n---\n(?!apiVersion)/g, '\n')
    t.same(
      ofPerson.split('\n').filter((line) => line.length > 100 && !line.includes(name) && line.trim().includes(' ')),
      [],
      'a person reads lines of 100 columns',
    )
    const golden = `${FOLDER}${name}.expected`
    if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(golden)) writeFileSync(golden, actual)
    t.equal(actual, readFileSync(golden, 'utf8'))
    const again = `${t.testdir({ [name]: yaml.text })}/${name}`
    t.equal((await previewed(again, 'yaml')).text, yaml.text, 'printing what was printed changes nothing')
    if (yaml.told === '' && !yaml.text.includes('is denied:'))
      t.same(objectsOf(await restored(again)), objectsOf(readFileSync(FOLDER + name, 'utf8')))
  })

/** Every line break of YAML 1.1, and texts that look like YAML, where a user can write any text. */
const odd = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '1',
      ' ',
      ': ',
      ' #',
      '"',
      "'",
      '\\',
      '\r',
      '\n',
      '\u0085',
      '\u2028',
      '\u2029',
      '---',
      '{',
      '&',
      'é',
    ),
  )
  .map((parts) => parts.join(''))
const oddIngresses = fc.record({ path: odd, value: odd, service: fc.constantFrom('web', '1', 'yes', '0x1f') })

t.test('the YAML of a denial can be pasted, and is a comment in the printed YAML', async (t) => {
  const folder = t.testdir({})
  let pasted = 0
  await fc.assert(
    fc.asyncProperty(oddIngresses, async ({ path, value, service }) => {
      const port = { number: 80 }
      const backend = { service: { name: service, port } }
      const paths = [
        { path: '/', pathType: 'Prefix', backend },
        { path: `/${path}`, pathType: 'Exact', backend },
      ]
      const annotations = { 'nginx.ingress.kubernetes.io/upstream-vhost': value, [`example.com/${service}`]: value }
      const ingress = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'site', namespace: 'shop', annotations },
        spec: { ingressClassName: 'nginx', rules: [{ host: 'shop.example.com', http: { paths } }] },
      }
      const file = `${folder}/ingress.yaml`
      writeFileSync(file, `# in YAML, where a denial is a comment\n${inAscii(JSON.stringify(ingress))}\n`)
      const yaml = (await previewed(file, 'yaml')).text
      if (objectsOf(yaml).length > 0 || !yaml.includes('is denied:'))
        throw new Error(`not a comment: ${JSON.stringify(yaml)}`)
      if (/^(?!#|$)/m.test(yaml)) throw new Error(`a line is no comment: ${JSON.stringify(yaml)}`)
      const printed = yamlIn((await previewed(file, 'text')).text)
      const commented = yamlIn(yaml.replaceAll(/^# ?/gm, ''))
      if (JSON.stringify(printed) !== JSON.stringify(commented))
        throw new Error(`the comment differs: ${JSON.stringify(yaml)}`)
      if (printed.length === 0) return
      pasted++
      const kinds = printed.map((object) => (object as { kind: string }).kind)
      if (JSON.stringify(kinds) !== '["Gateway","VirtualService"]') throw new Error(`pasted, it is ${kinds.join(', ')}`)
    }),
    propertyRuns(100),
  )
  t.ok(pasted > 10, `${pasted} denials had YAML`)
})

/** A document separator at the start of a line, of whichever of YAML's line breaks, would end a quoted text. */
function inAscii(json: string): string {
  return json.replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Returns the objects of the documents that a denial shows. */
function yamlIn(text: string): readonly unknown[] {
  const found = /\nApply this instead:\n(---\n[^]*\n---\n)/.exec(text)
  return found === null ? [] : objectsOf(found[1] ?? '')
}

t.test('what is not printed is named in a comment, whatever line breaks are in it', async (t) => {
  const folder = t.testdir({})
  for (const lineBreak of ['\r', '\u0085', '\u2028', '\u2029']) {
    writeFileSync(`${folder}/a.yaml`, `--- a${lineBreak}kind: Pod\na: 1\n`)
    const { text } = await previewed(`${folder}/a.yaml`, 'yaml')
    t.equal(text.replace(/^---\n/, '').replaceAll(/^# not printed: .* a kind: Pod\n/gm, ''), '', inAscii(lineBreak))
  }
})

function objectsOf(text: string): readonly unknown[] {
  return parseManifests(text, 'x.yaml').map(({ object }) => object)
}

type Pod = typeof pods extends fc.Arbitrary<infer Value> ? Value : never

const line = (values: readonly string[]) => fc.constantFrom(...values)
const pods = fc.record({
  head: line(['', '# licence\n---\n', '---\n', '--- # one\n', '# words\n']),
  annotations: line([
    '',
    '  annotations: {a: "yes", b: 0x10}\n',
    '  annotations:\n    c: |+\n      kept\n\n',
    '  annotations: {}\n',
  ]),
  indent: line(['', '  ', '    ']),
  probe: line([
    'readinessProbe: {httpGet: {path: /a, port: 80}}',
    'readinessProbe: # why\n    INDENThttpGet: # how\n      INDENTport: 80\n      INDENTpath: "/a?b=c"',
    'livenessProbe:\n    INDENTperiodSeconds: 5 # five\n    INDENTtcpSocket:\n        INDENTport: 80',
    'lifecycle: {preStop: {httpGet: {port: 80}}}',
  ]),
  env: line([
    '',
    'env: [{name: A, value: "on"}] # env',
    'env:\n  INDENT- name: A\n  INDENT  value: 0o7',
    'env: []',
    'volumeMounts: []',
  ]),
  tail: line([
    '',
    '  volumes: []\n',
    '  volumes:\n  - name: v # v\n    emptyDir: {}\n',
    '  restartPolicy: Always\n# end\n',
    '...\n',
  ]),
  lineEnd: line(['\n', '\r\n']),
})

t.test(
  'whatever its style, a pod is printed as admission would store it, and no other line of it changes',
  async (t) => {
    const folder = t.testdir({})
    await fc.assert(
      fc.asyncProperty(pods, async ({ head, annotations, indent, probe, env, tail, lineEnd }) => {
        const at = `  ${indent}`
        const parts = [env, probe]
          .filter((part) => part !== '')
          .map((part) => `${at}  ${part.replaceAll('INDENT', at)}\n`)
        const source = `${head}apiVersion: v1\nkind: Pod\nmetadata:\n  name: p # p\n${annotations}spec:\n  containers:\n${at}- name: c\n${parts.join('')}${tail}`
        const file = `${folder}/pod.yaml`
        writeFileSync(file, source.replaceAll('\n', lineEnd))
        const yaml = await previewed(file, 'yaml')
        if (yaml.told !== '') throw new Error(yaml.told)
        const [entry] = JSON.parse((await previewed(file, 'json')).text) as [{ patch: readonly unknown[] }]
        if (entry.patch.length === 0) throw new Error(`nothing is patched in\n${source}`)
        const kept = yaml.text.split(lineEnd)
        for (const text of ['  name: p # p', `${at}- name: c`, ...head.split('\n')])
          if (!kept.includes(text)) throw new Error(`the line ${text} is gone from\n${yaml.text}`)
        writeFileSync(file, yaml.text)
        if ((await previewed(file, 'yaml')).text !== yaml.text)
          throw new Error(`printed again, it changes\n${yaml.text}`)
        const before = JSON.stringify(sorted(objectsOf(source)))
        const after = JSON.stringify(sorted(objectsOf(await restored(file))))
        // An empty list or map of the user's goes with what was put into it.
        const plain = (text: string) =>
          text.replaceAll(/"(?:annotations|env|volumes|volumeMounts)":(?:\[\]|\{\}),?/g, '').replaceAll(',}', '}')
        if (plain(after) !== plain(before)) throw new Error(`restored, it is\n${after}\nand was\n${before}`)
      }),
      propertyRuns(100),
    )
  },
)

t.test('the items of a List are printed as they would be alone', async (t) => {
  const folder = t.testdir({})
  const quoted = '  annotations:\n    q: "a\n- b"\n'
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(pods, fc.boolean()), { minLength: 1, maxLength: 4 }),
      line(['', '  ']),
      async (generated, indent) => {
        const { lineEnd } = generated[0]?.[0] ?? { lineEnd: '\n' }
        const sources = generated.map(([pod, isQuoted]) =>
          podText({ ...pod, tail: pod.tail.replace('...\n', '') }, isQuoted),
        )
        const printed: string[] = []
        for (const source of sources) {
          writeFileSync(`${folder}/pod.yaml`, source.replaceAll('\n', lineEnd))
          printed.push((await previewed(`${folder}/pod.yaml`, 'yaml')).text)
        }
        const list = (texts: readonly string[]) =>
          `apiVersion: v1\nitems:\n${texts.map((text) => asItem(text.replaceAll('\r\n', '\n'), indent)).join('')}kind: List\n`
        writeFileSync(`${folder}/list.yaml`, list(sources).replaceAll('\n', lineEnd))
        const { text, told } = await previewed(`${folder}/list.yaml`, 'yaml')
        if (told !== '') throw new Error(told)
        // How far a new list is indented follows the text around it.
        const lines = (yaml: string) => yaml.split(/\r?\n/).map((one) => one.trim())
        if (JSON.stringify(lines(text)) !== JSON.stringify(lines(list(printed))))
          throw new Error(`in a List, it is\n${text}`)
        if (JSON.stringify(objectsOf(text)) !== JSON.stringify(printed.flatMap(objectsOf)))
          throw new Error(`read again, it is not the same\n${text}`)
      },
    ),
    propertyRuns(50),
  )

  /** A line of a quoted scalar looks like an item. */
  function podText({ annotations, indent, probe, env, tail }: Pod, isQuoted: boolean): string {
    const at = `  ${indent}`
    const parts = [env, probe].filter((part) => part !== '').map((part) => `${at}  ${part.replaceAll('INDENT', at)}\n`)
    const noted = isQuoted && annotations === '' ? quoted : annotations
    return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p # p\n${noted}spec:\n  containers:\n${at}- name: c\n${parts.join('')}${tail}`
  }

  function asItem(text: string, indent: string): string {
    const lines = text.replace(/\n$/, '').split('\n')
    return lines
      .map((content, at) =>
        content === '' || content === '- b"' ? content : `${indent}${at === 0 ? '- ' : '  '}${content}`,
      )
      .map((content) => `${content}\n`)
      .join('')
  }
})

t.test('a denied item goes, and comments between items and what items share stay', async (t) => {
  const folder = t.testdir({})
  const item = (name: string, handler: string) =>
    `- apiVersion: v1\n  kind: Pod\n  metadata: {name: ${name}}\n  spec:\n    containers:\n    - name: c\n      livenessProbe: ${handler}\n`
  const denied = `- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n  metadata: {name: i}\n  spec: {rules: [{host: a.example.com}]}\n# after it\n`
  const head = 'apiVersion: v1\nitems:\n'
  const plain = item('a', '{exec: {command: [a]}}')
  writeFileSync(`${folder}/list.yaml`, `${head}${plain}# before it\n${denied}${plain}kind: List\n`)
  const { text } = await previewed(`${folder}/list.yaml`, 'yaml')
  t.equal(
    text.replaceAll(/^# (?!before|after).*\n|^#\n/gm, ''),
    `${head}${plain}# before it\n# after it\n${plain}kind: List\n`,
  )

  const handler = '{httpGet: {port: 80}}'
  const widget = (of: string) => `- apiVersion: example.com/v1\n  kind: Widget\n  metadata: {name: w}\n  spec: ${of}\n`
  const previewedList = async (items: string) => {
    writeFileSync(`${folder}/items.yaml`, `${head}${items}kind: List\n`)
    return sorted(objectsOf((await previewed(`${folder}/items.yaml`, 'yaml')).text))
  }
  const shared = await previewedList(item('a', `&probe ${handler}`) + widget('*probe'))
  t.same(shared, await previewedList(item('a', handler) + widget(handler)))
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
