// What kubectl reads, where parsers of YAML differ. Each line was put to kubectl's decoder (k8s.io/apimachinery v0.36.1,
// pkg/util/yaml), which reads documents by sigs.k8s.io/yaml. test/oracle compares many more (npm run differential:yaml).
import t from 'tap'
import { YamlError } from '../../src/kubernetes/yaml-cursor.ts'
import { nodesOf } from '../../src/kubernetes/yaml-nodes.ts'
import { valueOf } from '../../src/kubernetes/yaml-value.ts'

const read = (text: string) => valueOf(nodesOf(text)).value

const READ: readonly (readonly [string, unknown])[] = [
  // The last line always ends, and nothing is read after three dots.
  ['a: |\n  one\n  two', { a: 'one\ntwo\n' }],
  ['a: >\n  one', { a: 'one\n' }],
  ['a: 1\n...\n# words\n%YAML 1.1\n', { a: 1 }],
  ['a: 1\n... # end\nb: [\n', { a: 1 }],
  ['a: |\n  ...\n  b\n', { a: '...\nb\n' }],
  // Nor after a root that is complete.
  ['{a: b} c', { a: 'b' }],
  ['"a" ]', 'a'],
  // Block scalars.
  ['a: |2\n    b\n   c\n', { a: '  b\n c\n' }],
  ['a: |+\n  b\n\n', { a: 'b\n\n' }],
  ['a: |-\n\n  b\n\n', { a: '\nb' }],
  ['a: >-\n  b\n    c\n  d\n\n  e\n', { a: 'b\n  c\nd\ne' }],
  ['a: >1-\n  b\n', { a: ' b' }],
  ['- |\n b\n- >+\n c\n\n', ['b\n', 'c\n\n']],
  // Plain scalars of several lines, with the five line breaks of YAML 1.1.
  ['a: b\n  c\n\n  d\n', { a: 'b c\nd' }],
  ['a: b\u2028 c\n', { a: 'b\u2028c' }],
  ['a: b\u0085\u0085 c\n', { a: 'b\nc' }],
  ['a: b\r\r\n c\n', { a: 'b c' }],
  ['a: b\tc # d\n', { a: 'b\tc' }],
  ['a: "b\n\n  c\\\n  d\\te"\n', { a: 'b\ncd\te' }],
  ['a: "\\x41\\u00fc\\U0001F600\\N\\L\\_"\n', { a: 'A\u00fc\u{1f600}\u0085\u2028\u00a0' }],
  // Indentation is freer than in YAML 1.2.
  ['a:\n  b: [c,\nd]\n', { a: { b: ['c', 'd'] } }],
  ['a: "b\nc"\n', { a: 'b c' }],
  ['a:\n- b\n-\n  - c\n', { a: ['b', ['c']] }],
  ['- a: b\n  c:\n  - d\n', [{ a: 'b', c: ['d'] }]],
  // Flow collections.
  ['{a: b, c, "d":e, f:g}', { a: 'b', c: null, d: 'e', 'f:g': null }],
  ['[a: b, c, ]', [{ a: 'b' }, 'c']],
  ['{a: [], b: {}, }', { a: [], b: {} }],
  // Complex and odd keys, whose names are those of Go's types.
  ['? a\n: b\n? c\n', { a: 'b', c: null }],
  ['0x10: a\nyes: b\n1.50: c\n1e6: d\n.inf: e\n', { 16: 'a', true: 'b', '1.5': 'c', '1e+06': 'd', '.inf': 'e' }],
  ['&k a: b\nc: *k\n*k : d\n', { a: 'd', c: 'a' }],
  // Tags.
  ['a: !!str 1\nb: ! yes\nc: !!int "3"\nd: !x 4\ne: !!float 1\n', { a: '1', b: 'yes', c: 3, d: '4', e: 1 }],
  ['a: !!binary YWI=\nb: !!null\nc: !!timestamp 2001-01-01\n', { a: 'ab', b: null, c: '2001-01-01' }],
  ['a: !<tag:yaml.org,2002:str> 1\n', { a: '1' }],
  // Numbers.
  ['[0644, 0o17, 0b11, 1_000, .5_1, -0x1F, 08, 1:20]', [420, 15, 3, 1000, 0.51, -31, 8, '1:20']],
  // Merge keys.
  ['a: &a {b: 1, c: 2}\nd: {b: 0, <<: *a, c: 3}\n', { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }],
  ['a: &a {b: 1}\nd: {<<: [{b: 2}, *a], "<<": 3}\n', { a: { b: 1 }, d: { b: 2, '<<': 3 } }],
]

t.test('each of these texts is read as kubectl reads it', (t) => {
  for (const [text, value] of READ) t.strictSame(read(text), value, titleOf(text))
  t.end()
})

/** Control characters in a title would confuse the test runner. */
function titleOf(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
}

const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ['a: 1\nb\n', 5, /could not find expected ":"/],
  ['a: b: c\n', 4, /mapping values are not allowed/],
  ['a: [b\nc: d\n', 7, /a comma or \] is expected/],
  ['a: {b: c]\n', 8, /a comma or \} is expected/],
  ['a: b]\n  c: d\n', 9, /mapping values are not allowed/],
  ['k:\n- "e"c: |\n', 8, /is expected here/],
  ["k:\n- 'f'/h - c: \n", 8, /is expected here/],
  ['a:\n\tb: c\n', 3, /a tab is used as indentation/],
  ['a:\n  b: c\n d: e\n', 11, /is expected here/],
  ['a: |\n \tb\n', 6, /a tab is used as indentation/],
  ['a: @b\n', 3, /@ cannot begin a value/],
  ['a: "b\n', 3, /the closing quote is missing/],
  ['a: "\\q"\n', 4, /\\q is no escape/],
  ['a: "\\/"\n', 4, /\\\/ is no escape/],
  ['a: "\\ud800"\n', 4, /no Unicode character/],
  ['a: *b\n', 3, /no anchor is named b/],
  ['a: &b [*b]\n', 7, /contains itself/],
  ['a: &b! c\n', 3, /the name of an anchor/],
  ['a: !b!c d\n', 3, /no %TAG directive defines/],
  ['a: !!int b\n', 3, /b is no !!int/],
  ['a: !!binary "*"\n', 3, /base64/],
  ['a: |x\n', 4, /may be on the line/],
  ['a: |0\n', 3, /1 to 9/],
  ['a: b # c\n  d: e\n', 11, /is expected here/],
  ['? [a]\n: b\n', 2, /invalid map key/],
  ['~: b\n', 0, /a key is null/],
  ['a: .nan\n', 3, /no form in JSON/],
  ['<<: b\n', 4, /map merge requires map/],
  ['a: \u0007\n', 3, /control character U\+0007/],
  ['- a\nb\n', 4, /could not find expected ":"/],
  ['a: {b: c?d}\n', 8, /a comma or \} is expected/],
  ['a: &b\n  &c d: e\n f: g\n', 17, /is expected here/],
  ['a: &b &c d\n', 6, /is expected here/],
  ['...\n', 0, /the document ends/],
]

t.test('each of these texts is refused, as kubectl refuses it, at the place of the mistake', (t) => {
  for (const [text, offset, problem] of REFUSED)
    t.throws(() => read(text), { constructor: YamlError, message: problem, offset }, titleOf(text))
  t.end()
})

t.test('directives are read, although kubectl splits a file behind them and then refuses both parts', (t) => {
  t.same(read('%YAML 1.1 # why\n%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 1\n'), { a: '1' })
  t.throws(() => read('%YAML 3\n---\na: 1\n'), /of the % directives/)
  t.throws(() => read('%YAML 1.1\na: 1\n'), /--- is expected after a % directive/)
  t.end()
})

t.test('a document within the limits of depth is read, and a deeper one is refused', (t) => {
  t.ok(read('['.repeat(190) + ']'.repeat(190)))
  for (const text of ['['.repeat(5000), '- '.repeat(5000), '{a: '.repeat(5000), '? '.repeat(5000)])
    t.throws(() => read(text), /nested too deeply/)
  t.end()
})

t.test('aliases of aliases cannot multiply a small text', (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  t.throws(() => read(`${lines.join('\n')}\n`), /excessive aliasing/)
  t.end()
})
