// The configuration file: what it may say, and how it is told what is wrong.
import t from 'tap'
import { DEFAULT_CONFIGURATION, parseConfiguration, readConfiguration } from '../src/config.ts'
import { InputError } from '../src/errors.ts'

function problemsOf(source: string): readonly string[] {
  try {
    parseConfiguration(source, 'c.yaml')
  } catch (error) {
    if (error instanceof InputError && error.code === 'configuration-invalid') return error.problems
    throw error
  }
  return []
}

t.test('every key is optional, and a key without a value has its default', (t) => {
  for (const source of ['', '{}', 'rules:', 'rules: {prober: }', 'logLevel:'])
    t.same(parseConfiguration(source, 'c.yaml'), DEFAULT_CONFIGURATION, source)
  const source = 'rules: {probes: port, prober: {image: reg/p:1}}\nshutdown: {drainSeconds: 0}\n'
  t.match(parseConfiguration(source, 'c.yaml'), {
    rules: { probes: 'port', ingress: 'deny', prober: { image: 'reg/p:1', delivery: 'auto' } },
    shutdown: { drainSeconds: 0, idleSeconds: 5 },
  })
  t.end()
})

t.test('an error names the file, the key, the value and what is allowed', (t) => {
  const cases: readonly (readonly [string, readonly (string | RegExp)[]])[] = [
    [
      'probes: exec',
      [
        'probes: unknown key; did you mean rules.probes? Allowed keys: rules, cluster, certificates, tls, logLevel, limits, shutdown',
      ],
    ],
    [
      'limits: {requestbytes: 5000}',
      ['limits.requestbytes: unknown key; did you mean requestBytes? Allowed keys: requestBytes, inFlightBytes'],
    ],
    ['cluster: {x: 1}', ['cluster.x: unknown key; allowed keys: controlPlaneNamespaces, unknownAfterSeconds']],
    ['rules: {__proto__: 1, toString: 2}', [/^c\.yaml: rules\.__proto__: unknown key/, /rules\.toString: unknown key/]],
    ['rules: {probes: maybe}', ['rules.probes: is "maybe"; allowed values: auto, exec, port, agent, off']],
    ['rules: {probes: 7}', ['rules.probes: is 7; allowed values: auto, exec, port, agent, off']],
    ['rules: []', ['rules: must be a map, not array']],
    ['text', ['the file: must be a map, not string']],
    ['limits: {requestBytes: -1}', ['limits.requestBytes: is -1; a whole number of at least 1024 is required']],
    ['limits: {requestBytes: 5000.5}', ['limits.requestBytes: is 5000.5; a whole number is required']],
    ['shutdown: {idleSeconds: "5"}', ['shutdown.idleSeconds: is "5"; a whole number is required']],
    [
      'limits: {requestBytes: 5000, inFlightBytes: 4000}',
      ['limits.requestBytes: must not be greater than limits.inFlightBytes, or large requests could never be read'],
    ],
    [
      'certificates: {leafDuration: a week, hosts: [""]}',
      [
        'certificates.hosts[0]: must not be empty',
        'certificates.leafDuration: is "a week"; allowed: a duration such as 8760h, 90m or 45s',
      ],
    ],
    ['certificates: {leafDuration: 9s}', ['certificates.leafDuration: is "9s"; at least 10s is required']],
    [
      'certificates: {authorityDuration: 20h, leafDuration: 7h}',
      ['certificates.authorityDuration: is "20h"; at least three times leafDuration (7h) is required'],
    ],
    [
      'certificates: {authorityDuration: 3m, leafDuration: 1m, trustDelay: 31s}',
      ['certificates.trustDelay: is "31s"; at most a sixth of authorityDuration (3m) is allowed'],
    ],
    ['rules: {exemptNamespaces: [a, 1]}', ['rules.exemptNamespaces[1]: must be a string, not number']],
    ['rules: {exemptNamespaces: a}', ['rules.exemptNamespaces: must be a list, not string']],
    ['rules: {gateway: {selector: {a: 1}}}', ['rules.gateway.selector.a: must be a string, not number']],
    ['rules: {gateway: {selector: 1}}', ['rules.gateway.selector: must be a map, not number']],
    ['rules: {gateway: {shared: public}}', ['rules.gateway.shared: is "public"; allowed: namespace/name, or empty']],
    [
      'rules: {gateway: {allowHostless: "yes"}}',
      ['rules.gateway.allowHostless: is "yes"; allowed values: true, false'],
    ],
    ['rules: {prober: {image: ""}}', ['rules.prober.image: must not be empty']],
    ['rules: {probes: maybe}\nlogLevel: loud', [/rules\.probes/, /logLevel: is "loud"; allowed values: trace, debug/]],
    ['a: [', [/^c\.yaml, line 1: /]],
    ['logLevel: info\nlogLevel: warn', [/^c\.yaml, line 2: Map keys must be unique/]],
  ]
  for (const [source, problems] of cases)
    t.match(
      problemsOf(source),
      problems.map((problem) => (typeof problem === 'string' ? `c.yaml: ${problem}` : problem)),
      source,
    )
  t.end()
})

t.test('a missing file is named', async (t) => {
  await t.rejects(readConfiguration('/none.yaml'), {
    code: 'configuration-invalid',
    problems: [/^\/none\.yaml: ENOENT/],
  })
})
