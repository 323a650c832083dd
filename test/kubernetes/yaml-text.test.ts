// The YAML that people copy, read as Kubernetes reads it: YAML 1.1, with line ends of its own.
import fc from 'fast-check'
import t from 'tap'
import { parse, stringify, type ScalarTag } from 'yaml'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { oneLine, toYaml } from '../../src/kubernetes/yaml-text.ts'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import { ingresses, options } from '../conversion/support/generated-ingresses.ts'
import { propertyRuns } from '../support/property-runs.ts'

/** A dot without digits is text to Go, and a number to this library. */
const DOT: ScalarTag = { tag: 'tag:yaml.org,2002:str', default: true, test: /^[-+]?\.$/, resolve: (text) => text }
const read = (text: string): unknown =>
  parse(text, { version: '1.1', merge: false, customTags: (tags) => [DOT, ...tags] })

const AMBIGUOUS = [
  ...[
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'n',
    'N',
    'no',
    'No',
    'NO',
    'on',
    'On',
    'ON',
    'off',
    'Off',
    'OFF',
    'true',
    'False',
  ],
  ...['0777', '0o17', '0O17', '0x1F', '0X1F', '0b11', '0B1', '1_000', '1_0e1_0', '-1_0', '.5_5', '1:20', '1e3', '.inf'],
  ...['2001-12-14', '2001-12-14t21:59:43.10-05:00', '=', '<<', '~', 'null', ''],
]

t.test('a text that YAML 1.1 reads as another type is quoted, as a value and as a key', (t) => {
  for (const text of AMBIGUOUS) {
    t.match(toYaml({ a: text }), /^a: ["'].*["']\n$/, text)
    t.same(read(toYaml({ a: text, list: [text] })), { a: text, list: [text] }, text)
    t.match(toYaml({ [text]: 'a' }), /^["'].*["']: a\n$/, text)
  }
  t.end()
})

t.test('what ends a line in YAML 1.1, or is refused, is escaped', (t) => {
  for (const code of ['0085', '2028', '2029', 'feff', '007f', '009f']) {
    const text = `x${String.fromCharCode(Number.parseInt(code, 16))}---`
    t.equal(toYaml({ a: text }), `a: "x\\u${code}---"\n`, code)
    t.same(read(toYaml({ [text]: `${text}\nb` })), { [text]: `${text}\nb` }, code)
  }
  t.end()
})

t.test('any text comes back as it was, and every character is one that Go reads', (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('y', 'n', '0', '1', '_', ':', '-', '\n', ' ', '\u2028', '\u0085', '#', '"', "'", 'e', '.'),
    }),
    fc.constantFrom(...AMBIGUOUS),
  )
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (object) => {
      const printed = toYaml(object)
      t.notMatch(printed, /[\u007f-\u009f\u2028\u2029\ufeff]/)
      t.strictSame({ ...(read(printed) as object) }, { ...object })
    }),
    propertyRuns(100),
  )
  t.end()
})

t.test('objects of a conversion are printed as before, and read in YAML 1.1 as what they are', (t) => {
  fc.assert(
    fc.property(ingresses(), fc.constantFrom('istio', 'gateway-api'), (given, target) => {
      for (const object of convertIngresses(given, options(target as 'istio')).objects) {
        const printed = toYaml(object)
        t.strictSame(read(printed), JSON.parse(JSON.stringify(object)))
        t.equal(printed, stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
      }
    }),
    propertyRuns(20),
  )
  t.end()
})

t.test('any object of short texts is printed as the library prints it', (t) => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'E', '0', '1', '.', '-', '/', ':', ' ', '_', '#', '*'), maxLength: 6 }),
    fc.constantFrom(...AMBIGUOUS.filter((one) => !/[_:xXbBoOtyn=<]|^0?\d+$|^on|^off|^O[nNfF]|^E|e\d/i.test(one))),
  )
  const key = fc.oneof(fc.constantFrom('name', 'spec', 'a.b/c', 'a-b', 'a b', '1', '', 'null'), text)
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 3 }),
    ),
  })).node
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 4 }), (object) => {
      const plain = JSON.parse(JSON.stringify(object)) as JsonObject
      const library = stringify(plain, { lineWidth: 0, aliasDuplicateObjects: false })
      const printed = toYaml(plain)
      // Only what Go reads differently has other quotes.
      if (printed !== library) t.equal(printed.replaceAll(/["']/g, ''), library.replaceAll(/["']/g, ''))
      t.strictSame(read(printed), plain)
    }),
    propertyRuns(300),
  )
  t.end()
})

t.test('a text in one line has none of the ends of a line', (t) => {
  t.equal(oneLine('a\nb\r\nc\u0085d\u2028e\u2029f'), 'a b c d e f')
  t.end()
})

t.test('an integer of any size is printed as it is', (t) => {
  const object = { number: 9007199254740993n, list: [-1234567890123456789n] }
  t.equal(toYaml(object as never), 'number: 9007199254740993\nlist:\n  - -1234567890123456789\n')
  t.end()
})

t.test('a text that looks like the mark of a document is a text', (t) => {
  for (const text of ['---', '--- a', '---a', '...', '... # b', '---\n---'])
    t.same(parse(toYaml({ list: [text], map: { [text]: text } })), { list: [text], map: { [text]: text } })
  t.end()
})
