// Documents in the styles that people and tools write: scalars of YAML 1.1 in every place, and pods with a probe.

const SCALARS = [
  ...[
    'yes',
    'No',
    'on',
    'y',
    'null',
    '~',
    'true',
    'TRUE',
    'word',
    'two words',
    'http://a/b?c=d',
    'a#b',
    'a:b',
    '-x',
    '--flag=1',
  ],
  ...[
    '0644',
    '0o17',
    '0x1F',
    '0b11',
    '08',
    '1_000',
    '1e3',
    '.5',
    '1.50',
    '+1',
    '-0',
    '1:20',
    '2020-01-01',
    '12345678',
    '=',
    '<',
  ],
  ...[
    '"yes"',
    '"a\\tb"',
    "'it''s'",
    "'1'",
    '"\\u00fc"',
    '""',
    '"0644"',
    '!!str 1',
    '!!str yes',
    '!!int "3"',
    '"a # b"',
    'ü',
    '日本',
  ],
]
const VALUES = [
  ...[
    '{a: 1, b: [c, "d"]}',
    '[]',
    '{}',
    '[a, {b: c}]',
    '["x", y]',
    '{"a":"b"}',
    '|\n    one\n     two\n',
    '|-\n    one\n',
    '>\n    one\n    two\n',
  ],
  ...[
    '>-\n    one\n\n    two\n',
    '|2\n    one\n',
    '|+\n    one\n\n',
    '\n    deep: 1',
    '\n  - a\n  - b: 1\n    c: 2',
    '\n    - a',
    '&x one',
    '&m {k: 1}',
  ],
  ...[
    'one\n    two',
    '"one\n    two"',
    "'one\n\n    two'",
    ' # why',
    '\n    <<: {z: 1}\n    y2: 2',
    '\n    # why\n    deep: 1',
  ],
]

/** A map of a few keys. */
export function oddText(random) {
  const pick = pickFrom(random)
  const count = 1 + Math.floor(random() * 3)
  const lines = Array.from({ length: count }, (_, index) => `  k${index}: ${pick(random() < 0.6 ? SCALARS : VALUES)}`)
  const [head, end] = [pick(['', '# c\n', '---\n', '--- # c\n']), pick(['\n', '\n', '', '\n# end\n', '\n...\n'])]
  return `${head}root:\n${lines.join('\n')}${end}`.replaceAll('\n', pick(['\n', '\n', '\r\n']))
}

/** What people and tools write by mistake, and every indicator of YAML where it does not belong. */
const PIECES = [
  ...[
    'a',
    '1',
    ' ',
    '  ',
    '    ',
    '\n',
    '\n  ',
    '\n    ',
    '\n- ',
    '\n  - ',
    ': ',
    ':',
    ':\n',
    '- ',
    '-',
    '? ',
    '?',
    ',',
    ', ',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '#',
    ' #',
    ' # c',
    '&a ',
    '&b',
    '*a',
    '*b ',
    '<<: *a',
    '<<',
    '!',
    '!!str ',
    '!!int ',
    '!!null ',
  ],
  ...[
    '!!float ',
    '!!bool ',
    '!!map ',
    '!!seq ',
    '!!binary ',
    '!!timestamp ',
    '!x ',
    '!<tag:x> ',
    '|',
    '>',
    '|-',
    '|+',
    '>-',
  ],
  ...[
    '|2',
    '|1-',
    '>+1',
    "'",
    '"',
    "''",
    '""',
    '\\',
    '\\n',
    '\\x41',
    '\\u0041',
    '\\q',
    '\\\n',
    '%',
    '@',
    '`',
    '\t',
    '\r',
    '\r\n',
  ],
  ...[
    '\ufeff',
    '\u2028',
    '\u0085',
    '\u00a0',
    '\u0000',
    '\u0007',
    '\u007f',
    '\u00fc',
    '\u{1f600}',
    '\n---\n',
    '\n--- \n',
  ],
  ...[
    '---',
    '...',
    '\n...\n',
    '\n... # c\n',
    '--- a',
    '--- |',
    '---\ta',
    '=',
    '~',
    'null',
    'yes',
    '0644',
    '1_000',
    '0x1F',
  ],
  ...[
    '.5',
    '.inf',
    '1e400',
    '12345678901234567890',
    '9007199254740993',
    '1:20',
    '2001-01-01',
    'k: v',
    '  k: v\n',
    'k:\n',
  ],
  ...[
    '"k": v',
    "'k': v",
    '? k\n: v',
    '[a, b]',
    '{a: b}',
    '{a: b, c}',
    '[a: b]',
    '{? a}',
    '[? a : b]',
    '{"a":b}',
    '[,]',
    '{a: b,}',
  ],
]

/** A document with up to three mistakes, or pieces in any order. kubectl reads less than half of them. */
export function brokenText(random) {
  const pick = pickFrom(random)
  if (random() < 0.3) return Array.from({ length: 1 + Math.floor(random() * 9) }, () => pick(PIECES)).join('')
  let text = random() < 0.35 ? oddPod(random) : oddText(random)
  if (random() < 0.15) text += `---\n${oddText(random)}`
  for (let mistakes = 1 + Math.floor(random() * 3); mistakes > 0; mistakes--) text = withMistake(text, random, pick)
  return text.toWellFormed()
}

function withMistake(text, random, pick) {
  const at = Math.floor(random() * (text.length + 1))
  const kind = random()
  if (kind < 0.55) return text.slice(0, at) + pick(PIECES) + text.slice(at)
  if (kind < 0.75) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 3))
  if (kind < 0.85) return text.slice(0, at) + pick(PIECES) + text.slice(at + 1)
  const lines = text.split('\n')
  const line = Math.floor(random() * lines.length)
  if (kind < 0.9) return lines.toSpliced(line, 1).join('\n')
  if (kind < 0.95) return lines.toSpliced(Math.floor(random() * lines.length), 0, lines[line]).join('\n')
  const moved = random() < 0.5 ? `${pick([' ', '  ', '   '])}${lines[line]}` : lines[line].replace(/^ {1,2}/, '')
  return lines.with(line, moved).join('\n')
}

/** A pod with a probe that is patched. */
export function oddPod(random) {
  const pick = pickFrom(random)
  const indent = pick(['', '  ', '      '])
  const at = `  ${indent}`
  const members = [
    pick([
      'readinessProbe: {httpGet: {path: /a, port: 80}}',
      'readinessProbe: {"httpGet":{"path":"/a","port":80}} # why',
      `livenessProbe: # why\n${at}    httpGet: # how\n${at}      port: 80\n${at}      path: "/a?b=c"`,
      `livenessProbe:\n${at}      periodSeconds: 5\n\n${at}      # between\n${at}      tcpSocket:\n${at}          port: 80`,
      '"livenessProbe": {\'httpGet\': {port: 80}}',
      `lifecycle:\n${at}    preStop: {httpGet: {port: 80, path: /stop}}`,
      `startupProbe: &probe\n${at}    grpc: {port: 80}`,
    ]),
    pick([
      'image: a',
      'image: !!str a',
      'command: [a, "b # c"] # d',
      `args:\n${at}  - |\n${at}    one\n${at}    two`,
      `env: [{name: A, value: "yes"}]`,
    ]),
    pick([
      `volumeMounts: []`,
      `volumeMounts:\n${at}  - {name: v, mountPath: /v}`,
      `workingDir: /w`,
      `# only a comment`,
    ]),
  ].toSorted(() => random() - 0.5)
  const annotations = pick([
    '',
    '  annotations: {a: "yes"}\n',
    '  annotations:\n    b: |+\n      kept\n\n',
    '  annotations:\n    c: >-\n      one\n      two # no comment\n',
  ])
  const tail = pick([
    '',
    '  volumes: []\n',
    '  volumes:\n  - name: v # v\n    emptyDir: {}\n',
    '  restartPolicy: Always\n# end\n',
    '  volumes:\n    - {name: v, emptyDir: {}}\n',
  ])
  const text = `${pick(['', '# head\n', '---\n'])}apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n${annotations}spec:\n  containers:\n${at}- name: c\n${members.map((member) => `${at}  ${member}\n`).join('')}${tail}`
  const ended = random() < 0.2 ? text.replace(/\n$/, '') : text
  return ended.replaceAll('\n', pick(['\n', '\n', '\r\n']))
}

function pickFrom(random) {
  return (list) => list[Math.floor(random() * list.length)]
}

/** mulberry32: the same numbers for the same seed. */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
