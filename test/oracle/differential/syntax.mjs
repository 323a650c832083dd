// npm run differential:syntax -- --count 20000 --seed N: what our readers of addresses, CIDR prefixes and regular expressions
// take, against Go's net/netip and regexp. Texts are known ones, and random ones near them. Needs Go.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { regexProblem } from '../../../dist/conversion/model/regular-expression.js'
import { readAddress, readPrefix } from '../../../dist/kubernetes/ip-address.js'
import { KNOWN } from './syntax-texts.mjs'

const ORACLE = fileURLToPath(new URL('..', import.meta.url))
const MOST_SHOWN = 20

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})

/** Undefined where Go cannot judge: two groups of one name are refused by RE2 itself, which Envoy has, and not by Go. */
const OURS = {
  address: (text) => readAddress(text) !== undefined,
  prefix: (text) => readPrefix(text) !== undefined,
  regexp: (text) => {
    const problem = regexProblem(text) ?? ''
    return problem.includes('duplicate capture') ? undefined : !problem.startsWith('is refused by RE2')
  },
}

const ADDRESS_PARTS = [
  ...[
    '0',
    '1',
    '01',
    '10',
    '255',
    '256',
    '00',
    'ffff',
    'FFFF',
    'fffff',
    'g',
    '::',
    ':',
    ':',
    '.',
    '.',
    '/',
    '%',
    '%eth0',
  ],
  ...[
    '/8',
    '/08',
    '/32',
    '/33',
    '/128',
    '/129',
    '/+8',
    '/-1',
    '/0',
    '/',
    ' ',
    '::ffff:',
    '1.2.3.4',
    '01.2.3.4',
    'fe80::1',
  ],
]
const REGEXP_PARTS = [
  ...[
    'a',
    'b',
    '/',
    '.',
    '\\.',
    '\\d',
    '\\w+',
    '\\b',
    '\\z',
    '\\Z',
    '\\A',
    '\\C',
    '\\Q',
    '\\E',
    '\\pL',
    '\\p{Greek}',
    '\\pX',
  ],
  ...[
    '(',
    ')',
    '(?:',
    '(?i)',
    '(?i:',
    '(?-s)',
    '(?U)',
    '(?x)',
    '(?P<n>',
    '(?<n>',
    '(?P=n)',
    '(?=',
    '(?<!',
    '(?>',
    '(?#',
    '|',
  ],
  ...[
    '[',
    ']',
    '[^',
    '[a-\\d]',
    '[a-z]',
    '[z-a]',
    '[[:alpha:]]',
    '[[:nope:]]',
    '[\\]]',
    '-',
    '^',
    '$',
    '*',
    '+',
    '?',
    '*?',
  ],
  ...[
    '{2}',
    '{2,}',
    '{,2}',
    '{3,2}',
    '{1000}',
    '{1001}',
    '{100}',
    '{',
    '}',
    '\\1',
    '\\x{41}',
    '\\x4',
    '\\0',
    '\\u0041',
    '\\',
  ],
]

const random = randomFrom(Number(values.seed))
const questions = [...KNOWN]
while (questions.length < Number(values.count)) {
  const kind = pick(['address', 'prefix', 'regexp'])
  questions.push({ kind, text: kind === 'regexp' ? sequence(REGEXP_PARTS, 8) : nearAddress() })
}
const answers = judge(questions)
const differing = questions.filter(({ kind, text }, index) => OURS[kind](text) === !answers[index])
const accepted = answers.filter((answer) => answer).length
console.log(
  `seed ${values.seed}: ${questions.length} texts, ${accepted} of them valid, ${differing.length} judged otherwise`,
)
for (const { kind, text } of differing.slice(0, MOST_SHOWN))
  console.error(
    `${kind} ${JSON.stringify(text)}: ${OURS[kind](text) ? 'taken here, refused by Go' : 'refused here, taken by Go'}`,
  )
process.exitCode = differing.length === 0 ? 0 : 1

function judge(texts) {
  const input = texts.map((text) => `${JSON.stringify(text)}\n`).join('')
  const options = { cwd: ORACLE, input, encoding: 'utf8', maxBuffer: 1 << 28 }
  const { status, stdout, stderr, error } = spawnSync('go', ['run', './syntax'], options)
  const lines = (stdout ?? '').split('\n').slice(0, -1)
  if (status !== 0 || lines.length !== texts.length) {
    console.error(`differential: Go's parsers gave no answer: ${error?.message ?? stderr}`)
    process.exit(2)
  }
  return lines.map((line) => line === 'true')
}

/** A known address, or parts of some, with up to two characters changed. */
function nearAddress() {
  const known = KNOWN.filter(({ kind }) => kind !== 'regexp').map(({ text }) => text)
  let text = random() < 0.6 ? pick(known) : sequence(ADDRESS_PARTS, 7)
  for (let changes = Math.floor(random() * 3); changes > 0; changes -= 1) {
    const at = Math.floor(random() * (text.length + 1))
    text = text.slice(0, at) + pick([...'0123456789abcdfF:./%', '']) + text.slice(at + (random() < 0.5 ? 1 : 0))
  }
  return text
}

function sequence(parts, most) {
  return Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(parts)).join('')
}

function pick(list) {
  return list[Math.floor(random() * list.length)]
}

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
