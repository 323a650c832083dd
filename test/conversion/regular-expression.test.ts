// What istiod and Envoy take of the regular expressions that users wrote for nginx. Go's regexp judges the same patterns and
// random ones in `npm run differential:syntax`.
import t from 'tap'
import { countGroups, hasAlternatives, regexProblem } from '../../src/conversion/model/regular-expression.ts'

t.test('patterns of nginx that RE2 runs', (t) => {
  const taken = [
    '/api(/|$)(.*)',
    '/(?i:abc)',
    '/v[0-9]{1,3}',
    '/(?P<a>x)(?<b>y)',
    '[]a]',
    '/\\Qa|b\\E',
    '\\p{L}+',
    '/a{1000}',
  ]
  for (const pattern of taken) t.equal(regexProblem(pattern), undefined, pattern)
  t.end()
})

t.test('patterns that RE2 refuses, each with the part that it refuses', (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['/(?=x)', /\(\?=/],
    ['/(?<!x)y', /\(\?<!/],
    ['/(?>a)', /\(\?>/],
    ['/a++', /\+\+/],
    ['/(a)\\1', /\\1/],
    ['/x\\Z', /\\Z/],
    ['(?i)/x/[a-\\d].*', /\\d/],
    ['(?i)/(a{100}){100}.*', /invalid repeat count/],
    ['/a{1001}', /invalid repeat count/],
    ['[^]', /missing closing \]/],
    ['/(?P<a>x)(?P<a>y)', /duplicate/],
    ['('.repeat(1001), /.+/],
  ]
  for (const [pattern, text] of refused) t.match(regexProblem(pattern), text, pattern.slice(0, 40))
  t.end()
})

t.test('patterns that RE2 would run, and istiod or Envoy refuses for their size', (t) => {
  t.equal(regexProblem('x'.repeat(1024)), undefined)
  t.match(regexProblem('x'.repeat(1025)), /longer than the 1024 bytes/)
  t.match(regexProblem('ä'.repeat(600)), /longer than the 1024 bytes/, 'bytes are counted, not characters')
  t.match(regexProblem('\\pL{1000}'), /too large for Envoy/)
  t.end()
})

t.test('groups are counted as RE2 numbers them', (t) => {
  const counts: readonly (readonly [string, number])[] = [
    ['/(a)(?:b)(?P<c>d)', 2],
    ['/[(](x)', 1],
    ['/\\(x\\)', 0],
    ['/\\Q(\\E(x)', 1],
    ['/(?=x)(y)', 0],
  ]
  for (const [pattern, count] of counts) t.equal(countGroups(pattern), count, pattern)
  t.end()
})

t.test('an alternative counts only outside groups, sets and quoted text', (t) => {
  const alternatives: readonly (readonly [string, boolean])[] = [
    ['/a|/b', true],
    ['/(a|b)', false],
    ['/[|]', false],
    ['/[]|]', false],
    ['/\\|', false],
    ['/\\Q|\\E', false],
    ['/[(]a|b', true],
    ['[', false],
    ['/[[:alpha:]|]|x', true],
  ]
  for (const [pattern, is] of alternatives) t.equal(hasAlternatives(pattern), is, pattern)
  t.end()
})

t.test('no pattern is too much to be looked at', (t) => {
  for (const part of ['[', '(', '\\Q', '(|', '\\pL{30}', '(?i)x{1000}', '[a', '[^', '\\']) {
    const pattern = part.repeat(200_000)
    t.type(hasAlternatives(pattern), 'boolean', part)
    t.type(regexProblem(pattern), 'string', `${part} is refused`)
    t.type(countGroups(pattern.slice(0, 1024)), 'number', part)
  }
  t.end()
})
