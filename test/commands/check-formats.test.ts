// Every format of `check -o` holds the same findings, in a shape that its readers take.
import { mkdtemp, writeFile, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom'
import type { Log } from 'sarif'
import t from 'tap'
import { stringify } from 'yaml'
import { check } from '../../src/commands/check.ts'
import type { CheckOptions } from '../../src/commands/check-options.ts'
import { CHECK_FORMATS, type CheckFormat } from '../../src/commands/check-format-names.ts'
import { renderAs } from '../../src/commands/check-format.ts'
import type { CheckReport, ReportedFinding } from '../../src/commands/check-report.ts'
import { createPaint } from '../../src/commands/preview-text.ts'
import { DEFAULT_CONFIGURATION } from '../../src/config.ts'
import { arrayMember, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { FINDING_CODES, type FindingCode } from '../../src/readiness/finding-codes.ts'
import { DEFAULT_INSTALL, istioInstall, namespaceObject } from '../support/fixtures.ts'
import { deployment } from '../readiness/support/mesh.ts'

const ODD = `a <b> & "c" | 'd', 100%: e\u0001\n=SUM(A1) \`x\` é 😀`

function found(code: FindingCode, severity: ReportedFinding['severity'], changes: Partial<ReportedFinding> = {}) {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
  const base = { code, severity, object, message: `${code} breaks.`, fix: 'Mend it.', scope: 'shop', isNew: undefined }
  const fingerprint = `${code}-${changes.container ?? ''}`
  return { ...base, docs: `https://example.org/${code}.md`, fingerprint, file: undefined, line: undefined, ...changes }
}

const [FIRST, SECOND, THIRD, FOURTH] = FINDING_CODES as readonly [FindingCode, FindingCode, FindingCode, FindingCode]

const REPORT: CheckReport = {
  namespaces: [],
  findings: [
    found(FIRST, 'error', { container: 'app', slot: 'livenessProbe', port: 8080, file: 'a b/c,d:e.yaml', line: 7 }),
    found(SECOND, 'warn', { message: ODD, fix: '=cmd()', isNew: true }),
    found(THIRD, 'info', {
      object: { apiVersion: 'v1', kind: 'MutatingWebhookConfiguration', namespace: '', name: 'x'.repeat(253) },
    }),
  ],
  unknown: [{ namespace: 'shop', brief: 'outsiders may call it', reason: `not read: ${ODD}` }],
  ignored: [{ ...found(FOURTH, 'error'), ignoredBy: 'annotation <of> us', until: undefined }],
  fixed: undefined,
  workloads: [],
}

const render = (format: CheckFormat, report = REPORT) => renderAs(format, report, createPaint(false))

/** Codes of the findings that a reader of the format sees, in order; without unknown and ignored entries. */
const READERS: Readonly<Record<CheckFormat, (text: string) => readonly string[]>> = {
  text: (text) => [...text.matchAll(/^ {2}(?:error|warn|info) +(\S+)/gm)].map(([, code]) => code ?? ''),
  json: (text) => arrayMember(JSON.parse(text), 'findings').map((one) => String(memberAt(one, 'code'))),
  junit: (text) =>
    casesOf(text)
      .filter(({ isSkipped }) => !isSkipped)
      .map(({ name }) => name.split(':')[0] ?? ''),
  sarif: (text) =>
    sarifOf(text)
      .results?.filter(({ suppressions }) => suppressions === undefined)
      .map(({ ruleId }) => ruleId ?? '') ?? [],
  github: (text) =>
    [...text.matchAll(/^::(?:error|warning|notice) (?!title=not known)[^\n]*::(?<about>[^\n]*)$/gm)].map(
      ({ groups }) => FINDING_CODES.find((code) => (groups?.['about'] ?? '').includes(`: ${code} breaks.`)) ?? SECOND,
    ),
  markdown: (text) => [...text.matchAll(/^- \S+ \[([a-z-]+)\]/gm)].map(([, code]) => code ?? ''),
  csv: (text) =>
    csvOf(text)
      .slice(1)
      .filter(([, severity]) => ['error', 'warn', 'info'].includes(severity ?? ''))
      .map(([code]) => code ?? ''),
  html: (text) => [...text.matchAll(/More: <a href="[^"]+">([a-z-]+)<\/a>/g)].map(([, code]) => code ?? ''),
  openreports: (text) => resultsOf(text, ['fail', 'warn', 'pass']),
  'policy-report': (text) => resultsOf(text, ['fail', 'warn', 'pass']),
}

interface JunitCase {
  readonly name: string
  readonly isSkipped: boolean
  readonly failure: { readonly message: string; readonly text: string } | undefined
}

/** Throws at the first mistake in the XML. */
function casesOf(xml: string): readonly JunitCase[] {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, 'text/xml')
  return [...document.getElementsByTagName('testcase')].map((one) => {
    const [failure] = one.getElementsByTagName('failure')
    return {
      name: one.getAttribute('name') ?? '',
      isSkipped: one.getElementsByTagName('skipped').length > 0,
      failure:
        failure === undefined
          ? undefined
          : { message: failure.getAttribute('message') ?? '', text: failure.textContent ?? '' },
    }
  })
}

function sarifOf(text: string) {
  const [run] = (JSON.parse(text) as Log).runs
  if (run === undefined) throw new Error('no run')
  return run
}

function resultsOf(text: string, wanted: readonly string[]): readonly string[] {
  return arrayMember(JSON.parse(text), 'items')
    .flatMap((report) => arrayMember(report, 'results'))
    .filter((result) => wanted.includes(String(memberAt(result, 'result'))))
    .map((result) => String(memberAt(result, 'rule')))
}

/** RFC 4180. */
function csvOf(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  return rows.filter((row) => row.length > 1)
}

t.test('every format holds the same findings, and none counts what is unknown or ignored', async (t) => {
  for (const format of CHECK_FORMATS)
    t.same(READERS[format](render(format)).toSorted(), [FIRST, SECOND, THIRD].toSorted(), format)
})

t.test('an empty report is a whole document in every format', async (t) => {
  const empty: CheckReport = { ...REPORT, findings: [], unknown: [], ignored: [] }
  for (const format of CHECK_FORMATS) t.same(READERS[format](render(format, empty)), [], format)
})

t.test('junit: errors and warnings fail, notices pass, the rest is skipped', async (t) => {
  const cases = casesOf(render('junit'))
  t.equal(cases.length, 5)
  t.equal(cases.filter(({ failure }) => failure !== undefined).length, 2)
  t.equal(cases.filter(({ isSkipped }) => isSkipped).length, 2)
  const odd = cases.find(({ name }) => name.startsWith(SECOND))?.failure
  t.match(odd?.message, /a <b> & "c"/, 'escaped, and read back')
  t.match(odd?.text, /\uFFFD/, 'a character that XML cannot hold is replaced')
  t.match(render('junit'), /<testsuites name="istio-onramp check" tests="5" failures="2" errors="0" skipped="2">/)
})

t.test('sarif: every code is a rule, each result has its place and fingerprint', async (t) => {
  const { tool, results = [], invocations = [] } = sarifOf(render('sarif'))
  t.same(
    tool.driver.rules?.map(({ id }) => id),
    FINDING_CODES,
  )
  for (const { id, helpUri } of tool.driver.rules ?? []) t.match(helpUri, new RegExp(`^https://.*/${id}\\.md$`))
  for (const { ruleId, ruleIndex } of results) t.equal(FINDING_CODES[ruleIndex ?? -1], ruleId)
  t.match(results[0]?.locations?.[0]?.physicalLocation, {
    artifactLocation: { uri: 'a%20b/c%2Cd%3Ae.yaml' },
    region: { startLine: 7 },
  })
  t.equal(results[1]?.locations?.[0]?.physicalLocation, undefined, 'of the cluster, without a file')
  t.equal(results[1]?.baselineState, 'new')
  t.equal(
    new Set(results.map(({ partialFingerprints }) => partialFingerprints?.['istioOnramp/v1'])).size,
    results.length,
  )
  t.match(results[3]?.suppressions, [{ kind: 'external', justification: 'ignored by annotation <of> us' }])
  t.match(invocations[0]?.toolExecutionNotifications?.[0]?.message.text, /^not known: namespace shop/)
})

t.test('github: one line for each, with every character that ends something escaped', async (t) => {
  const lines = render('github').trimEnd().split('\n')
  t.equal(lines.length, 5)
  t.match(lines[0], /^::error file=a b\/c%2Cd%3Ae\.yaml,line=7,title=[^:]+::Deployment shop\/web, container app/)
  t.match(lines[1], /^::warning title=.*100%25: e.*%0A=SUM/)
  t.match(lines[4], /^ignored by annotation <of> us: /)
})

t.test('csv: a header, and no cell that a spreadsheet would run', async (t) => {
  const [header, ...rows] = csvOf(render('csv'))
  t.same(header?.slice(0, 2), ['code', 'severity'])
  t.same(
    rows.map(([, severity]) => severity),
    ['error', 'warn', 'info', 'unknown', 'ignored'],
  )
  for (const row of rows) {
    t.equal(row.length, header?.length)
    for (const cell of row) t.notMatch(cell, /^[=+@-]/)
  }
  t.equal(rows[1]?.[header?.indexOf('message') ?? 0], ODD)
})

t.test('markdown: text of an object is never markup', async (t) => {
  const text = render('markdown')
  t.match(text, /a \\<b\\> & "c" \\\| 'd'/)
  t.notMatch(text, /<b>/)
})

t.test('html: one page without a network, in which text of an object is never markup', async (t) => {
  const text = render('html')
  t.match(text, /default-src 'none'/)
  t.notMatch(text, /<(?:link|img|iframe)|src=|<b>\s&amp;|url\(/)
  t.match(text, /a &lt;b&gt; &amp; &quot;c&quot; \| &#39;d&#39;/)
  t.match(text, /<b class="badge new">new<\/b>/)
  t.notMatch(text, /Since the baseline/)
  t.match(render('html', { ...REPORT, fixed: 2 }), /Since the baseline: 2 findings fixed, 2 left, 1 new\./)
})

t.test('reports: one for each object, with counts that add up and names that the API server takes', async (t) => {
  for (const [format, group, text] of [
    ['openreports', 'openreports.io/v1alpha1', 'description'],
    ['policy-report', 'wgpolicyk8s.io/v1alpha2', 'message'],
  ] as const) {
    const items = arrayMember(JSON.parse(render(format)), 'items')
    const kind = format === 'openreports' ? 'Report' : 'PolicyReport'
    t.same(
      items.map((item) => memberAt(item, 'kind')),
      [kind, `Cluster${kind}`, `Cluster${kind}`],
    )
    for (const item of items) {
      t.equal(memberAt(item, 'apiVersion'), group)
      t.match(memberAt(item, 'metadata', 'name'), /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/)
      const summary = memberAt(item, 'summary') as Readonly<Record<string, number>>
      const total = Object.values(summary).reduce((sum, count) => sum + count, 0)
      t.equal(total, arrayMember(item, 'results').length)
      for (const result of arrayMember(item, 'results')) t.type(memberAt(result, text), 'string')
    }
    t.same(memberAt(items[0], 'summary'), { pass: 0, fail: 1, warn: 1, error: 0, skip: 1 })
    t.match(memberAt(items[0], 'scope'), { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' })
  }
})

t.test('a run: several formats at once, to files and to standard output, and one exit code', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'formats-'))
  const objects: readonly JsonObject[] = [
    ...istioInstall(DEFAULT_INSTALL, {}, { rewriteAppHTTPProbe: false }),
    namespaceObject('shop', { 'istio-injection': 'enabled' }),
    deployment('web', { livenessProbe: { httpGet: { port: 8080 } } }),
  ]
  const from = join(folder, 'cluster.yaml')
  await writeFile(from, objects.map((object) => stringify(object)).join('---\n'))
  const options = (outputs: CheckOptions['outputs']): CheckOptions => ({
    cluster: { from: [from] },
    namespaces: [],
    assumeStrict: ['shop'],
    change: [],
    remove: [],
    accessLog: [],
    prometheus: undefined,
    since: undefined,
    outputs,
    failOn: 'error',
    baseline: undefined,
    failOnNew: false,
    ignore: undefined,
    hasColor: false,
    today: '2026-11-27',
  })
  const outputs = CHECK_FORMATS.map((format) => ({ format, file: join(folder, format) }))
  const all = await check(options(outputs), DEFAULT_CONFIGURATION, () => undefined)
  t.equal(all.output, '')
  const codes = READERS.json(await readFile(join(folder, 'json'), 'utf8')).toSorted()
  t.ok(codes.length > 0)
  for (const format of CHECK_FORMATS.filter((name) => name !== 'github'))
    t.same(READERS[format](await readFile(join(folder, format), 'utf8')).toSorted(), codes, format)
  t.equal(
    (await readFile(join(folder, 'github'), 'utf8')).match(/^::/gm)?.length,
    codes.length + unknowns(await readFile(join(folder, 'json'), 'utf8')),
  )
  const page = await readFile(join(folder, 'html'), 'utf8')
  t.match(page, /1 of 1 namespace would break/)
  t.match(
    page,
    /Deployment web<\/th><td>sidecar<\/td><td><span class="port closed breaks"><b>8080 http<\/b> accepted → refused/,
  )
  const known = join(folder, 'baseline.json')
  const fingerprints = [
    ...arrayMember(JSON.parse(await readFile(join(folder, 'json'), 'utf8')), 'findings'),
    { fingerprint: 'gone' },
  ]
  await writeFile(
    known,
    JSON.stringify({ apiVersion: 'istio-onramp.io/v1alpha1', kind: 'CheckReport', findings: fingerprints }),
  )
  const later = { ...options([{ format: 'html', file: undefined }]), baseline: known }
  t.match((await check(later, DEFAULT_CONFIGURATION, () => undefined)).output, /1 finding fixed, 1 left, 0 new\./)
  for (const format of CHECK_FORMATS) {
    const { hasFindings } = await check(options([{ format, file: undefined }]), DEFAULT_CONFIGURATION, () => undefined)
    t.equal(hasFindings, all.hasFindings, format)
  }
})

function unknowns(json: string): number {
  return arrayMember(JSON.parse(json), 'unknown').length
}
