// Simple YAML is read twice as fast by a reader of its own: it reads what the whole parser reads, or it declines.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { splitDocuments } from '../../src/cluster/manifest-documents.ts'
import { duplicateKeys } from '../../src/kubernetes/json-duplicates.ts'
import { nodesOf } from '../../src/kubernetes/yaml-nodes.ts'
import { readBlockList } from '../../src/kubernetes/yaml-list-value.ts'
import { readPlainJson } from '../../src/kubernetes/plain-json.ts'
import { readSimpleYaml } from '../../src/kubernetes/yaml-simple.ts'
import { valueOf } from '../../src/kubernetes/yaml-value.ts'
import { propertyRuns } from '../support/property-runs.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Undefined where the whole parser refuses the text. */
function wholly(text: string): { readonly value: unknown } | undefined {
  try {
    const { value, duplicates } = valueOf(nodesOf(text))
    return duplicates.length === 0 ? { value } : undefined
  } catch {
    return undefined
  }
}

function agrees(text: string): boolean {
  const simple = readSimpleYaml(text)
  if (simple === undefined) return true
  const whole = wholly(text)
  return whole !== undefined && JSON.stringify(simple) === JSON.stringify(whole.value)
}

t.test('what it reads of the manifests of this project is what the whole parser reads, and it reads most', (t) => {
  const documents = ['examples', 'test/golden', 'test/commands', 'charts']
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(ROOT, folder, name)),
    )
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => [...splitDocuments(readFileSync(file, 'utf8'))])
  t.same(
    documents.filter(({ text }) => !agrees(text)).map(({ text }) => text),
    [],
  )
  const readable = documents.filter(({ text }) => wholly(text) !== undefined)
  const read = readable.filter(({ text }) => readSimpleYaml(text) !== undefined)
  t.ok(read.length > readable.length / 2, `${read.length} of ${readable.length} are simple`)
  t.end()
})

t.test('it declines what is not simple, and never guesses', (t) => {
  const declined = [
    'a: &x 1\n',
    'a: *x\n',
    'a: !!str 1\n',
    'a: "\\u0041"\n',
    'a: one\n  two\n',
    'a: 1\n\tb: 2\n',
    'a: 1\na: 2\n',
    'y: 1\n',
    '<<: {a: 1}\n',
    '__proto__: 1\n',
    '? a\n: b\n',
    'a: b: c\n',
    'a: [b\n]\n',
    'a: {b?: c}\n',
    '- a\n',
    'a: >\n  b\n',
    'a: |2\n    b\n',
    'a: ü\n',
    'a: 1',
    'a: 1\r\n',
    'a:\n    b: 1\n  c: 2\n',
    'a: .inf\n',
    "a: 'it''s'\n",
    'a: "b"c\n',
    '...\n',
    '%YAML 1.1\n',
    '',
  ]
  for (const text of declined) t.equal(readSimpleYaml(text), undefined, JSON.stringify(text))
  t.same(readSimpleYaml('a: [{b: 0644, c: "yes"}, on]\nd: |\n  x\n   y\n\ne:\n- f: # g\n  h: i # j\n'), {
    a: [{ b: 420, c: 'yes' }, true],
    d: 'x\n y\n',
    e: [{ f: null, h: 'i' }],
  })
  t.end()
})

const piece = fc.constantFrom(
  ...[
    'a',
    'b:',
    'c: ',
    '- ',
    '-',
    '  ',
    ' ',
    '\n',
    '\n',
    '\n  ',
    '\n    ',
    '\n- ',
    '#',
    ' # d',
    '"',
    "'",
    '"e"',
    '{',
    '}',
  ],
  ...[
    '[',
    ']',
    ',',
    ', ',
    ': ',
    '|',
    '|-',
    '>',
    '~',
    'null',
    '0644',
    '1_000',
    '1e3',
    '.5',
    '-f',
    '--g',
    'yes',
    '...',
    '?',
    '!',
    '&',
  ],
  ...[
    '*',
    '@',
    '%',
    '`',
    '=',
    '<<',
    '\\',
    '/h',
    'http://i',
    '$(J)',
    '0x1F',
    '12345678901234567890',
    '2020-01-01',
    '1:20',
  ],
)

t.test('whatever text it is given, it reads what the whole parser reads, or declines', (t) => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      for (const text of [
        `k: ${pieces.join('')}\n`,
        `k:\n  l: ${pieces.join('')}\n  m: 1\n`,
        `k:\n- n: ${pieces.join('')}\n`,
      ])
        if (!agrees(text)) throw new Error(`${JSON.stringify(text)} is read as ${JSON.stringify(readSimpleYaml(text))}`)
    }),
    propertyRuns(3000),
  )
  t.end()
})

t.test('a List that is read item by item is what the whole parser reads, or it is left to it', (t) => {
  const item = fc
    .array(
      fc.oneof(piece, fc.constantFrom('\n  x: ', '\n  - ', '\n  x: |\n    y\n', '\n# c\n', '\n  "x": \'y\n- z\'')),
      {
        maxLength: 8,
      },
    )
    .map((pieces) => `- a: ${pieces.join('')}\n`)
  const list = fc.tuple(
    fc.constantFrom('', '# head\n', 'kind: List\n', 'items: 1\n'),
    fc.constantFrom('items:\n', 'items: # these\n\n', 'items: []\n'),
    fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join('')),
    fc.constantFrom('', 'kind: List\n', 'kind: 1\nkind: List\n', '  kind: List\n', 'items: 2\n', '- b\n', 'x'),
  )
  let read = 0
  fc.assert(
    fc.property(list, fc.boolean(), (parts, isIndented) => {
      const text = isIndented ? parts.join('').replaceAll(/^(?=-|  )/gm, '  ') : parts.join('')
      const value = readBlockList(text)
      if (value === undefined) return
      read++
      if (JSON.stringify(value) !== JSON.stringify(valueOf(nodesOf(text)))) throw new Error(JSON.stringify(text))
    }),
    propertyRuns(3000),
  )
  t.ok(read > 100, `${read} were read item by item`)
  t.end()
})

t.test('keys that JSON has twice are found, at any size and behind escapes', (t) => {
  const long = `{"a": "${'x'.repeat(5_000_000)}", "b": [{"c": 1}, {"c": 2, "\\u0063": 3}], "a": "}"}`
  t.same(
    duplicateKeys(long).map(({ key }) => key),
    ['c', 'a'],
  )
  t.same(duplicateKeys('{"a": {"a": "\\"a\\": 1"}, "b": ["a", "a"]}'), [])
  t.end()
})

t.test('JSON among YAML documents is read by JSON.parse where YAML reads the same', (t) => {
  const agreesOnJson = (text: string): boolean => {
    const plain = readPlainJson(text)
    if (plain === undefined) return true
    const whole = wholly(text)
    return whole !== undefined && JSON.stringify(plain) === JSON.stringify(whole.value)
  }
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (value, indent) =>
      agreesOnJson(`${JSON.stringify(value, null, indent)}\n`),
    ),
    propertyRuns(2000),
  )
  t.same(readPlainJson('{"kind": "Pod", "spec": {"ports": [{"a": 1.5}, null, true]}}\n'), {
    kind: 'Pod',
    spec: { ports: [{ a: 1.5 }, null, true] },
  })
  for (const text of [
    '{"a": 1, "a": 2}',
    '{"a" : 1, "b": {"c": 1, "c": 2}}',
    '{"a":1,"a":2,"b" :1}',
    '{"a"\n: 1}',
    '{"a": "\\ud800"}',
    '{"a": 1e3}',
    '{"a": -0}',
    '{"a": 12345678901234567890}',
    '{"<<": {"a": 1}}',
    '{"a": "\t"}',
    '{"a": 1} # comment',
    '{a: 1}',
    '["a"]',
  ])
    t.equal(readPlainJson(text), undefined, text)
  t.end()
})
