// `check` on manifests: what it lists, its verdicts, its JSON, and when it fails.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { stringify } from 'yaml'
import { pathsOf, targetsOf } from '../../src/cluster/live/watch-target.ts'
import { RESOURCES, resourceOf } from '../../src/cluster/resources.ts'
import { check, checkWatching } from '../../src/commands/check.ts'
import type { CheckOptions } from '../../src/commands/check-options.ts'
import { findingPages } from '../../src/commands/check-explain.ts'
import { DEFAULT_CONFIGURATION } from '../../src/config.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { FINDING_CODES } from '../../src/readiness/finding-codes.ts'
import {
  DEFAULT_INSTALL,
  istioInstall,
  namespaceObject,
  peerAuthentication,
  type InjectorValues,
} from '../support/fixtures.ts'
import { startFakeApiServer } from '../support/fake-api-server.ts'
import { writeKubeconfig } from '../support/kubeconfig.ts'
import { deployment, destinationRule, env, service } from '../readiness/support/mesh.ts'

const folder = await mkdtemp(join(tmpdir(), 'check-'))
let files = 0

async function fileOf(objects: readonly JsonObject[]): Promise<string> {
  const file = join(folder, `${++files}.yaml`)
  await writeFile(file, objects.map((object) => stringify(object)).join('---\n'))
  return file
}

const ISTIO = (values: InjectorValues = { rewriteAppHTTPProbe: true }): readonly JsonObject[] => [
  ...istioInstall(DEFAULT_INSTALL, {}, values),
  namespaceObject('shop', { 'istio-injection': 'enabled' }),
]
const PROBED = { livenessProbe: { httpGet: { port: 8080 } } }

interface Report {
  readonly namespaces: readonly {
    readonly name: string
    readonly verdict: string
    readonly step: string
    readonly next: string
    readonly dataplane: string
    readonly mode: string
    readonly counts: Record<string, number>
  }[]
  readonly findings: readonly {
    readonly code: string
    readonly fingerprint: string
    readonly docs: string
    readonly file?: string
    readonly line?: number
    readonly callers?: readonly unknown[]
    readonly object: Record<string, string>
  }[]
  readonly unknown: readonly { readonly about: string; readonly reason: string }[]
  readonly ignored: readonly { readonly code: string; readonly ignoredBy: string; readonly until?: string }[]
}

async function run(
  objects: readonly JsonObject[],
  changes: Partial<CheckOptions> = {},
): Promise<{ readonly report: Report; readonly fails: boolean }> {
  const options: CheckOptions = { ...OPTIONS, cluster: { from: [await fileOf(objects)] }, ...changes }
  const { output, hasFindings } = await check(options, DEFAULT_CONFIGURATION, () => undefined)
  return { report: JSON.parse(output) as Report, fails: hasFindings }
}

const OPTIONS: CheckOptions = {
  cluster: {},
  namespaces: [],
  assumeStrict: [],
  change: [],
  remove: [],
  accessLog: [],
  prometheus: undefined,
  since: undefined,
  outputs: [{ format: 'json', file: undefined }],
  failOn: 'error',
  baseline: undefined,
  failOnNew: false,
  ignore: undefined,
  hasColor: false,
  today: '2026-11-27',
}

const codesOf = ({ findings }: Report): readonly string[] => findings.map(({ code }) => code)
const verdictOf = ({ namespaces }: Report, wanted = 'shop'): string | undefined =>
  namespaces.find(({ name }) => name === wanted)?.verdict

const harmless = [
  ...ISTIO(),
  deployment('web', PROBED),
  service('web'),
  deployment('caller', env('WEB_URL', 'http://web')),
]
const cases: readonly (readonly [string, readonly JsonObject[], string])[] = [
  ['everything is in the mesh and nothing breaks', harmless, 'yes'],
  ['a probe breaks', [...ISTIO({ rewriteAppHTTPProbe: false }), deployment('web', PROBED)], 'no'],
  [
    'a workload outside the mesh may call',
    [...harmless, namespaceObject('old'), deployment('old', {}, { namespace: 'old' })],
    'unknown',
  ],
  [
    'whether Istio rewrites probes is not known',
    [namespaceObject('shop', { 'istio-injection': 'enabled' }), deployment('web', PROBED)],
    'unknown',
  ],
  ['nothing is in the mesh', [...istioInstall(DEFAULT_INSTALL), namespaceObject('shop'), deployment('web')], 'unknown'],
]

t.test('the verdict is of the namespace as though it were STRICT, whatever the flags', async (t) => {
  for (const [title, objects, verdict] of cases) {
    const { report } = await run(objects)
    t.equal(verdictOf(report), verdict, title)
    t.equal(verdictOf((await run(objects, { assumeStrict: ['*'] })).report), verdict, `${title}, with --assume-strict`)
    t.equal(
      report.unknown.some(({ about }) => about.includes('shop')),
      verdict === 'unknown',
      `${title}: unknown names it`,
    )
    for (const { name, next } of report.namespaces) t.match(next, new RegExp(name), `${title}: next names ${name}`)
  }
})

t.test('the text begins with an answer for each namespace, and why in five words', async (t) => {
  for (const [title, objects] of cases) {
    const from = [await fileOf(objects)]
    const outputs = [{ format: 'text', file: undefined }] as const
    const { output } = await check({ ...OPTIONS, cluster: { from }, outputs }, DEFAULT_CONFIGURATION, () => undefined)
    const [summary = '', blank, ...rest] = output.split('\n')
    t.match(summary, /^\d+ namespaces?: /, title)
    t.equal(blank, '', title)
    const answers = rest.slice(0, rest.indexOf(''))
    t.not(answers.length, 0, title)
    for (const line of answers) {
      const [, why = ''] = /^(?:yes|no|unknown) +\S+  (.*) \(.*\)$/.exec(line) ?? []
      t.ok(why !== '' && why.split(' ').length <= 5, `${title}: ${line}`)
    }
    t.ok(
      output.split('\n').every((line) => line.length <= 100 || /^\S|^ +\S+$/.test(line)),
      `${title}: 100 columns`,
    )
  }
})

t.test('a namespace that the input does not have is named', async (t) => {
  const told: string[] = []
  const cluster = { from: [await fileOf(ISTIO())] }
  const options = { ...OPTIONS, cluster, namespaces: ['shpo'], assumeStrict: ['shop', '*'] }
  await check(options, DEFAULT_CONFIGURATION, (line) => told.push(line))
  t.same(told, ['namespace shpo: the input has neither this namespace nor an object in it'])
})

t.test('the flags decide which findings are listed', async (t) => {
  const objects = [...ISTIO({ rewriteAppHTTPProbe: false }), deployment('web', PROBED), service('web')]
  const rule = destinationRule('web', { trafficPolicy: { tls: { mode: 'DISABLE' } } })
  const strict = peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } })
  t.same(codesOf((await run(objects)).report), [], 'PERMISSIVE in force')
  t.same(codesOf((await run(objects, { assumeStrict: ['shop'] })).report), ['probe-fails'])
  t.same(codesOf((await run(objects, { assumeStrict: ['*'] })).report), ['probe-fails'])
  t.same(codesOf((await run(objects, { change: [await fileOf([strict])] })).report), ['probe-fails'])
  t.same(
    codesOf((await run([...objects, strict], { change: [await fileOf([rule])] })).report),
    ['destination-rule-plaintext'],
    'what the change breaks, and no more',
  )
  t.same(
    codesOf((await run([...objects, rule], { assumeStrict: ['shop'], remove: ['DestinationRule/shop/rule'] })).report),
    ['probe-fails'],
  )
  t.same((await run([...objects, strict], { namespaces: ['other'] })).report.findings, [], '-n')
  await t.rejects(run(objects, { remove: ['Nope/shop/web'] }), { code: 'object-invalid' })
})

t.test('the JSON of a report', async (t) => {
  const { report } = await run(
    [
      ...ISTIO({ rewriteAppHTTPProbe: false }),
      deployment('web', PROBED),
      service('web'),
      namespaceObject('old'),
      deployment('old', env('URL', 'http://web.shop'), { namespace: 'old' }),
    ],
    { assumeStrict: ['shop'] },
  )
  t.same(Object.keys(report), ['apiVersion', 'kind', 'namespaces', 'findings', 'unknown', 'ignored'])
  for (const namespace of report.namespaces)
    t.same(Object.keys(namespace), ['name', 'dataplane', 'mode', 'verdict', 'step', 'next', 'counts'])
  t.same(report.namespaces.find(({ name }) => name === 'shop')?.counts, {
    error: 2,
    warn: 0,
    info: 0,
    unknown: 1,
    ignored: 0,
  })
  t.equal(new Set(report.findings.map(({ fingerprint }) => fingerprint)).size, report.findings.length)
  for (const finding of report.findings) {
    t.match(finding.docs, /^https:\/\/\S+\.md$/)
    t.same(Object.keys(finding.object), ['apiVersion', 'kind', 'namespace', 'name'])
    t.match(
      (await readFile(finding.file ?? '', 'utf8')).split('\n')[(finding.line ?? 0) - 1],
      /^apiVersion/,
      'the line of the object',
    )
  }
  t.same(report.findings.find(({ code }) => code === 'plaintext-caller')?.callers, [
    { kind: 'Deployment', namespace: 'old', name: 'old' },
  ])
})

t.test('fingerprints do not change with lines or neighbours', async (t) => {
  const objects = [...ISTIO({ rewriteAppHTTPProbe: false }), deployment('web', PROBED)]
  const first = await run(objects, { assumeStrict: ['shop'] })
  const second = await run([deployment('other'), ...objects], { assumeStrict: ['shop'] })
  t.same(
    first.report.findings.map(({ fingerprint }) => fingerprint),
    second.report.findings.map(({ fingerprint }) => fingerprint),
  )
})

t.test('findings are left out with a reason, until their date', async (t) => {
  const annotated = (text: string) => {
    const object = deployment('web', PROBED)
    const metadata = { ...(object['metadata'] as JsonObject), annotations: { 'istio-onramp.io/ignore': text } }
    return [...ISTIO({ rewriteAppHTTPProbe: false }), { ...object, metadata }]
  }
  const listed = async (text: string) => {
    const { report } = await run(annotated(text), { assumeStrict: ['shop'] })
    return [codesOf(report), report.ignored.map(({ code }) => code)]
  }
  t.same(await listed('probe-fails=we know'), [[], ['probe-fails']])
  t.same(await listed('probe-fails@livenessProbe=we know; until=2026-11-27'), [[], ['probe-fails']])
  t.same(await listed('probe-fails=we know; until=2026-11-26'), [['probe-fails'], []], 'past its date')
  t.same(await listed('probe-fails@readinessProbe=we know'), [['probe-fails'], []], 'another slot')
  t.same(await listed('probe-fails'), [['probe-fails', 'ignore-invalid'], []], 'without a reason')
  t.same(await listed('nope=x'), [['probe-fails', 'ignore-invalid'], []], 'an unknown code')
  const file = join(folder, 'ignore')
  await writeFile(file, '# known\nprobe-fails Deployment/shop/web=we know\n')
  t.same((await run(annotated(''), { assumeStrict: ['shop'], ignore: file })).report.ignored.length, 1)
  await writeFile(file, 'nope=x\n')
  await t.rejects(run(annotated(''), { ignore: file }), { code: 'ignore-invalid' })
})

t.test('when it fails', async (t) => {
  const broken = [...ISTIO({ rewriteAppHTTPProbe: false }), deployment('web', PROBED)]
  const lying = [
    ...ISTIO({ rewriteAppHTTPProbe: false }),
    deployment('web', { livenessProbe: { tcpSocket: { port: 8080 } } }),
  ]
  const baseline = join(folder, 'baseline.json')
  t.equal((await run(broken, { assumeStrict: ['shop'] })).fails, true, 'an error')
  t.equal((await run(broken, { assumeStrict: ['shop'], failOn: 'never' })).fails, false)
  t.equal((await run(lying)).fails, false, 'a warning')
  t.equal((await run(lying, { failOn: 'warn' })).fails, true)
  const unclear = [namespaceObject('shop', { 'istio-injection': 'enabled' }), deployment('web', PROBED)]
  t.equal((await run(unclear)).fails, false, 'what is not known')
  t.equal((await run(unclear, { failOn: 'unknown' })).fails, true)
  await run(broken, {
    assumeStrict: ['shop'],
    outputs: [
      { format: 'json', file: baseline },
      { format: 'json', file: undefined },
    ],
  })
  t.equal((await run(broken, { assumeStrict: ['shop'], baseline, failOnNew: true })).fails, false, 'nothing new')
  t.equal(
    (await run([...broken, deployment('b', PROBED)], { assumeStrict: ['shop'], baseline, failOnNew: true })).fails,
    true,
  )
  await writeFile(baseline, '{"kind": "CheckReport", "apiVersion": "istio-onramp.io/v0", "findings": []}')
  await t.rejects(run(broken, { baseline }), { code: 'report-invalid' })
})

t.test('docs/reference/findings is what the table says (node hack/reference/findings.mjs writes it)', async (t) => {
  const pages = findingPages()
  t.equal(pages.size, FINDING_CODES.length + 1)
  for (const [name, text] of pages) t.equal(await readFile(`docs/reference/findings/${name}`, 'utf8'), text, name)
})

t.test('--watch reports again when the answer changes, and ends as a run would', async (t) => {
  const api = await startFakeApiServer()
  t.teardown(() => api.close())
  const paths = new Map(
    targetsOf(RESOURCES, ['istio-system']).map((target) => [target.resource, pathsOf(target)[0] ?? '']),
  )
  const pathOf = (object: JsonObject) => {
    const resource = resourceOf(object)
    return (resource && paths.get(resource)) ?? ''
  }
  const objects = [...ISTIO({ rewriteAppHTTPProbe: false }), deployment('web', PROBED)]
  for (const path of paths.values()) api.set(path, [])
  for (const path of new Set(objects.map(pathOf)))
    api.set(
      path,
      objects.filter((object) => pathOf(object) === path),
    )
  process.env['KUBECONFIG'] = writeKubeconfig(folder, api.url)
  t.teardown(() => delete process.env['KUBECONFIG'])

  const shown: Report[] = []
  const interruption = new AbortController()
  const until = async (count: number) => {
    for (let tries = 0; shown.length < count && tries < 400; tries += 1) await sleep(50)
  }
  const result = checkWatching(
    OPTIONS,
    DEFAULT_CONFIGURATION,
    () => undefined,
    (output) => shown.push(JSON.parse(output) as Report),
    interruption.signal,
  )
  const strict = peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } })
  await until(1)
  for (let tries = 0; api.watchers(pathOf(strict)) === 0 && tries < 400; tries += 1) await sleep(50)
  t.same(shown.map(codesOf), [[]], 'the state in force')
  api.send(pathOf(strict), 'ADDED', strict)
  await until(2)
  t.same(shown.map(codesOf), [[], ['probe-fails']], 'after the change')
  const status = { ...deployment('web', PROBED), status: { readyReplicas: 1 } }
  api.send(pathOf(status), 'MODIFIED', status)
  await sleep(2500)
  t.equal(shown.length, 2, 'a change that answers nothing new is not reported')
  interruption.abort()
  t.equal((await result).hasFindings, true)
})
