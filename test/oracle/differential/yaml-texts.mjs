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
