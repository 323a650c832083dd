// `check --access-log`: what is read of a log, which connections count, who is named; and the lines of a real node.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createTally } from '../../src/callers/tally.ts'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { stringify } from 'yaml'
import { DEFAULT_TEXT, createReader } from '../../src/callers/log-format.ts'
import { ApiError } from '../../src/cluster/live/api-error.ts'
import type { ClusterApi } from '../../src/cluster/live/cluster-api.ts'
import { readLogs } from '../../src/commands/access-log-files.ts'
import { liveSources } from '../../src/commands/live-access-logs.ts'
import { check } from '../../src/commands/check.ts'
import type { CheckOptions } from '../../src/commands/check-options.ts'
import { DEFAULT_CONFIGURATION } from '../../src/config.ts'
import type { AccessLogFormat } from '../../src/istio/control-plane.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { TRAFFIC_FINDINGS } from '../../src/readiness/codes/traffic-findings.ts'
import { deployment, mesh, object, runningPod, service, type Members } from '../readiness/support/mesh.ts'
import { DEFAULT_INSTALL, istioInstall, namespaceObject, type InjectorValues } from '../support/fixtures.ts'

const CLI = join(import.meta.dirname, '../../dist/cli.js')
const RECORDED = join(import.meta.dirname, 'recorded')
const folder = mkdtempSync(join(tmpdir(), 'callers-'))
let files = 0

function file(content: string | Buffer, name = `${++files}`): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Line {
  readonly from?: string
  readonly to?: string
  readonly cluster?: string
  readonly sni?: string
  readonly agent?: string
  readonly at?: string
  readonly details?: string
  readonly isTcp?: boolean
}

/** A line in Istio's default text format. */
function text(line: Line = {}): string {
  const {
    from = '10.1.0.9:40000',
    to = '10.1.0.1:8080',
    cluster = 'inbound|8080||',
    sni = '-',
    agent = 'curl/8.9',
  } = line
  const { at = '2026-11-27T03:12:04.123Z', details = 'via_upstream', isTcp = false } = line
  const request = isTcp ? '"- - -" 0 -' : '"GET /report HTTP/1.1" 200 -'
  const headers = isTcp ? '"-" "-" "-" "-"' : `"-" "${agent}" "5f0c" "web.shop:8080"`
  return `[${at}] ${request} ${details} - "-" 0 12 1 0 ${headers} "${to}" ${cluster} 127.0.0.6:5 ${to} ${from} ${sni} default`
}

/** The same line in Istio's default JSON. */
function json(line: Line = {}): string {
  const { from = '10.1.0.9:40000', to = '10.1.0.1:8080', cluster = 'inbound|8080||', sni, agent = 'curl/8.9' } = line
  return JSON.stringify({
    authority: 'web.shop:8080',
    downstream_local_address: to,
    downstream_remote_address: from,
    requested_server_name: sni ?? null,
    response_code_details: 'via_upstream',
    route_name: 'default',
    start_time: line.at ?? '2026-11-27T03:12:04.123Z',
    upstream_cluster: cluster,
    user_agent: agent,
  })
}

const times = (number: number, line: Line = {}): string =>
  Array.from({ length: number }, (_, index) =>
    text({ ...line, from: `${(line.from ?? '10.1.0.9:0').split(':')[0] ?? ''}:${40000 + index}` }),
  ).join('\n')

interface PodOptions {
  readonly ip?: string
  readonly phase?: string
  readonly owner?: Members
  readonly spec?: Members
  readonly status?: Members
}

function pod(name: string, { ip = '10.1.0.9', phase = 'Running', owner, spec, status }: PodOptions = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'legacy',
      ...(owner === undefined ? {} : { ownerReferences: [{ ...owner, controller: true }] }),
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'app' }], ...spec },
    status: { phase, podIP: ip, podIPs: [{ ip }], hostIP: '192.168.0.7', ...status },
  }
}

const JOB = { apiVersion: 'batch/v1', kind: 'Job', name: 'report-29400000' }
const CRON_JOB = object(
  'batch/v1',
  'CronJob',
  'report',
  { spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'app' }] } } } } } },
  'legacy',
)
const REPORT = [CRON_JOB, pod('report-29400000-x', { phase: 'Succeeded', owner: JOB })]
const NODE = object(
  'v1',
  'Node',
  'node-1',
  { spec: { podCIDR: '10.1.0.0/24' }, status: { addresses: [{ type: 'InternalIP', address: '192.168.0.7' }] } },
  '',
)
const WEB = [deployment('web'), runningPod('web', {}), service('web')]
const PROBED = {
  ports: [{ containerPort: 8080 }],
  livenessProbe: { httpGet: { port: 8080, scheme: 'HTTPS' }, periodSeconds: 10 },
}

interface Finding {
  readonly code: string
  readonly severity: string
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly message: string
  readonly fix: string
  readonly callers?: readonly unknown[]
}
interface Report {
  readonly findings: readonly Finding[]
  readonly namespaces: readonly { readonly name: string; readonly verdict: string }[]
  readonly unknown: readonly { readonly about: string; readonly reason: string }[]
}

const OPTIONS: CheckOptions = {
  cluster: {},
  namespaces: [],
  assumeStrict: ['shop'],
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

async function run(
  objects: readonly JsonObject[],
  logs: string | readonly string[],
  { values = {}, ...changes }: Partial<CheckOptions> & { readonly values?: InjectorValues } = {},
): Promise<Report> {
  const cluster = [
    ...istioInstall(DEFAULT_INSTALL, {}, { rewriteAppHTTPProbe: true, ...values }),
    namespaceObject('shop', { 'istio-injection': 'enabled' }),
    namespaceObject('legacy'),
    ...objects,
  ]
  const from = [file(cluster.map((one) => stringify(one)).join('---\n'), `${++files}.yaml`)]
  const accessLog = typeof logs === 'string' ? [file(logs)] : logs
  const { output } = await check(
    { ...OPTIONS, cluster: { from }, accessLog, ...changes },
    DEFAULT_CONFIGURATION,
    () => undefined,
  )
  return JSON.parse(output) as Report
}

const callersIn = ({ findings }: Report): readonly unknown[] =>
  findings.filter(({ code }) => code.startsWith('plaintext-connection')).flatMap(({ callers = [] }) => callers)
const REPORT_CALLER = { kind: 'CronJob', namespace: 'legacy', name: 'report' }

interface Case {
  readonly title: string
  readonly objects?: readonly JsonObject[]
  readonly log: string
  readonly options?: Partial<CheckOptions> & { readonly values?: InjectorValues }
}

const OUT = text({
  from: '10.1.0.1:5',
  to: '203.0.113.7:443',
  cluster: 'PassthroughCluster',
  sni: 'api.example.org',
  isTcp: true,
})
const entry = (namespace: string, exportTo: readonly string[]): JsonObject =>
  object('networking.istio.io/v1', 'ServiceEntry', 'api', { spec: { hosts: ['*.example.org'], exportTo } }, namespace)
const CUSTOM =
  'at=%START_TIME% peer=%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% me=%DOWNSTREAM_LOCAL_ADDRESS% to=%UPSTREAM_CLUSTER% tls=%CEL(connection.mtls)%\n'
const TELEMETRY = (spec: Members): JsonObject =>
  object('telemetry.istio.io/v1', 'Telemetry', 'mine', { spec: { accessLogging: [spec] } })
const ONLY_PLAIN: Members = { filter: { expression: '!connection.mtls' } }

/** Findings of metrics are in prometheus.test.ts. */
type CodeOfLogs = Exclude<keyof typeof TRAFFIC_FINDINGS, 'plaintext-traffic' | 'plaintext-traffic-open'>

const TABLE: Readonly<Record<CodeOfLogs, { readonly found: readonly Case[]; readonly notFound: readonly Case[] }>> = {
  'plaintext-connection': {
    found: [
      { title: 'a workload outside the mesh', objects: REPORT, log: text() },
      { title: 'a port of no Service', log: text({ to: '10.1.0.1:9090', cluster: 'InboundPassthroughCluster' }) },
      {
        title: 'a connection that STRICT refused',
        log: text({ cluster: '-', details: 'filter_chain_not_found', isTcp: true }),
      },
      { title: 'TLS of the application', log: text({ isTcp: true, sni: 'web.example.org' }) },
      { title: "kubelet's User-Agent from a pod", objects: REPORT, log: text({ agent: 'kube-probe/1.35' }) },
      { title: 'through the address of the node', objects: [NODE], log: text({ from: '192.168.0.7:40000' }) },
      {
        title: 'more connections than the probe makes',
        objects: [NODE, deployment('web', PROBED), runningPod('web', PROBED)],
        log: times(40, { from: '192.168.0.7:0', isTcp: true }),
      },
      { title: 'by an IPv6 address', objects: [pod('six', { ip: 'fd00::9' })], log: text({ from: '[fd00::9]:40000' }) },
    ],
    notFound: [
      { title: 'mutual TLS of the mesh', log: text({ sni: 'outbound_.8080_._.web.shop.svc.cluster.local' }) },
      { title: 'an outbound call', log: text({ cluster: 'outbound|80||web.shop.svc.cluster.local' }) },
      {
        title: 'a probe of kubelet',
        objects: [NODE],
        log: text({ from: '192.168.0.7:40000', agent: 'kube-probe/1.35' }),
      },
      {
        title: 'a hook of kubelet',
        objects: [NODE],
        log: text({ from: '192.168.0.7:40000', agent: 'kube-lifecycle/1.35' }),
      },
      {
        title: "a probe from the node's end of the pod network",
        objects: [NODE],
        log: text({ from: '10.1.0.1:40000', to: '10.1.0.1:8080', agent: 'kube-probe/1.35' }),
      },
      {
        title: 'an https probe, which has no User-Agent',
        objects: [NODE, deployment('web', PROBED), runningPod('web', PROBED)],
        log: text({ from: '192.168.0.7:40000', isTcp: true }),
      },
      { title: 'the proxy itself', log: text({ from: '127.0.0.6:40000' }) },
      { title: 'the pod itself', log: text({ from: '10.1.0.1:40000' }) },
      { title: 'a port that stays PERMISSIVE', log: text(), options: { assumeStrict: [] } },
    ],
  },
  'plaintext-connection-open': {
    found: [{ title: 'a port that is PERMISSIVE', objects: REPORT, log: text(), options: { assumeStrict: [] } }],
    notFound: [{ title: 'a STRICT port', objects: REPORT, log: text() }],
  },
  'open-connections-unlogged': {
    found: [{ title: 'a log of the namespace', log: text({ sni: 'outbound_.8080_._.web.shop.svc.cluster.local' }) }],
    notFound: [{ title: 'a log of other pods', log: text({ to: '10.1.0.77:8080' }) }],
  },
  'access-log-too-broad': {
    found: [
      { title: 'no Telemetry', log: text() },
      {
        title: 'one of a workload',
        objects: [
          object('telemetry.istio.io/v1', 'Telemetry', 'mine', {
            spec: { selector: { matchLabels: { app: 'x' } }, accessLogging: [ONLY_PLAIN] },
          }),
        ],
        log: text(),
      },
    ],
    notFound: [{ title: 'a Telemetry with the filter', objects: [TELEMETRY(ONLY_PLAIN)], log: text() }],
  },
  'access-log-lines-unreadable': {
    found: [
      {
        title: 'a line of something else',
        log: `${text()}\n192.0.2.1 - - [27/Nov/2026:03:12:04 +0000] "GET / HTTP/1.1" 200 5`,
      },
      { title: 'JSON of something else', log: `${text()}\n{"a":1}` },
      { title: 'a line cut short', log: text().slice(0, 60) },
    ],
    notFound: [
      { title: 'empty lines', log: `${text()}\n\n\n` },
      {
        title: 'messages of the proxy',
        log: `2026-11-27T03:12:04.1Z\tinfo\txdsproxy\tconnected\n2026/11/27 03:12:04 INFO GOMEMLIMIT is set\n${text()}`,
      },
      {
        title: 'its configuration',
        log: `2026-11-27T03:12:04.1Z\tinfo\tEffective config: binaryPath: /usr/local/bin/envoy\nconfigPath: ./etc\n  nested: 1\n\n${text()}`,
      },
      {
        title: 'its configuration, behind --prefix and --timestamps',
        log: ['2026-11-27T03:12:04.1Z\tinfo\tEffective config: a: b', 'configPath: ./etc', '  nested: 1', '', text()]
          .map((line) => `[pod/web-1/istio-proxy] 2026-11-27T03:12:04.123456789Z ${line}`)
          .join('\n'),
      },
      { title: 'lines of another container', log: `[pod/web-1/app] hello\n[pod/web-1/istio-proxy] ${text()}` },
    ],
  },
  'access-log-pods-unknown': {
    found: [{ title: 'a pod that is gone', log: text({ to: '10.1.0.77:8080' }) }],
    notFound: [{ title: 'a pod of the input', log: text() }],
  },
  'egress-host-unknown': {
    found: [
      {
        title: 'TLS by its SNI',
        log: text({
          from: '10.1.0.1:5',
          to: '203.0.113.7:443',
          cluster: 'PassthroughCluster',
          sni: 'api.example.org',
          isTcp: true,
        }),
      },
      {
        title: 'an address',
        log: text({ from: '10.1.0.1:5', to: '203.0.113.7:5432', cluster: 'PassthroughCluster', isTcp: true }),
      },
      { title: 'an entry of another namespace alone', objects: [entry('legacy', ['.'])], log: OUT },
    ],
    notFound: [
      { title: 'a ServiceEntry', objects: [entry('shop', [])], log: OUT },
      { title: 'an exported one', objects: [entry('legacy', ['shop'])], log: OUT },
      {
        title: 'a pod of the cluster',
        objects: REPORT,
        log: text({ from: '10.1.0.1:5', to: '10.1.0.1:80', cluster: 'PassthroughCluster', isTcp: true }),
      },
      { title: 'a call that was blocked', log: OUT.replace('PassthroughCluster', 'BlackHoleCluster') },
    ],
  },
  'egress-host-blocked': {
    found: [{ title: 'BlackHoleCluster', log: OUT.replace('PassthroughCluster', 'BlackHoleCluster') }],
    notFound: [{ title: 'PassthroughCluster', log: OUT }],
  },
  'access-log-format-incomplete': {
    found: [
      {
        title: 'no remote address',
        log: text(),
        options: { values: { mesh: { accessLogFormat: '%START_TIME% %UPSTREAM_CLUSTER%\n' } } },
      },
    ],
    notFound: [
      { title: 'all that is needed', log: text(), options: { values: { mesh: { accessLogFormat: CUSTOM } } } },
    ],
  },
}

for (const [code, { found, notFound }] of Object.entries(TABLE)) {
  t.test('a name that no host can have is not printed into YAML: the address takes its place', (t) => {
    const tally = createTally()
    const line = { cluster: 'PassthroughCluster', directRemote: '10.1.0.1:5', local: '203.0.113.7:443' }
    for (const serverName of ['a.example.org', 'a\n  - "*"', 'a: b', `${'x'.repeat(300)}.org`, '- a', '{a}'])
      tally.add({ ...line, serverName })
    t.same(
      tally.result().hosts.map(({ host, isTls }) => [host, isTls]),
      [
        ['a.example.org', true],
        ['203.0.113.7', true],
      ],
    )
    t.end()
  })

  t.test(code, async (t) => {
    for (const [cases, expected] of [
      [found, true],
      [notFound, false],
    ] as const)
      for (const { title, objects = [], log, options } of cases) {
        const replaced = new Set(
          objects.map((one) => JSON.stringify([one['kind'], (one['metadata'] as Members)['name']])),
        )
        const web = WEB.filter(
          (one) => !replaced.has(JSON.stringify([one['kind'], (one['metadata'] as Members)['name']])),
        )
        const report = await run([...web, ...objects], log, options)
        t.equal(
          report.findings.some((one) => one.code === code),
          expected,
          title,
        )
        if (expected)
          t.equal(
            report.findings.find((one) => one.code === code)?.severity,
            TRAFFIC_FINDINGS[code as keyof typeof TABLE].severity,
            `${title}: severity`,
          )
      }
  })
}

t.test('a caller is named, with its connections and the time of the last', async (t) => {
  const { findings } = await run([...WEB, ...REPORT], times(14))
  const [found] = findings.filter(({ code }) => code === 'plaintext-connection')
  t.match(found?.message, /^CronJob legacy\/report, 14 connections to shop\/web:8080, last at 03:12: plain text/)
  t.same(found?.callers, [REPORT_CALLER])
  t.match(found?.object, REPORT_CALLER)
  const keepAlive = await run([...WEB, ...REPORT], Array.from({ length: 14 }, () => text()).join('\n'))
  t.match(
    keepAlive.findings.find(({ code }) => code === 'plaintext-connection')?.message,
    /14 requests on 1 connection to/,
  )
})

t.test('who has the address', async (t) => {
  const other = pod('other-x', { owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'other' } })
  const cases: readonly (readonly [string, readonly JsonObject[], Line, readonly unknown[]])[] = [
    ['a pod of a CronJob that is over', REPORT, {}, [REPORT_CALLER]],
    [
      'a pod of a Deployment',
      [runningPod('old', {}, { ip: '10.1.0.9', sidecar: false, namespace: 'legacy' })],
      {},
      [{ kind: 'Deployment', namespace: 'legacy', name: 'old' }],
    ],
    [
      'two pods of one workload, one after the other',
      [...REPORT, pod('report-29400001-y', { phase: 'Succeeded', owner: { ...JOB, name: 'report-29400001' } })],
      {},
      [REPORT_CALLER],
    ],
    ['pods of two workloads, one after the other', [...REPORT, other], {}, [{ address: '10.1.0.9' }]],
    [
      'a pod that started later',
      [pod('late', { status: { startTime: '2026-11-27T04:00:00Z' } })],
      {},
      [{ address: '10.1.0.9' }],
    ],
    ['a node', [NODE], { from: '192.168.0.7:1' }, [{ kind: 'Node', namespace: '', name: 'node-1' }]],
    [
      "a pod of the node's network is its node",
      [NODE, pod('host', { ip: '192.168.0.7', spec: { hostNetwork: true } })],
      { from: '192.168.0.7:1' },
      [{ kind: 'Node', namespace: '', name: 'node-1' }],
    ],
    [
      'a node that only a pod names',
      [pod('any')],
      { from: '192.168.0.7:1' },
      [{ kind: 'Node', namespace: '', name: 'node-1' }],
    ],
    [
      'the ClusterIP of a Service of one workload',
      [deployment('old', {}, { namespace: 'legacy' }), service('old', { namespace: 'legacy', clusterIP: '10.96.0.9' })],
      { from: '10.96.0.9:1' },
      [{ kind: 'Deployment', namespace: 'legacy', name: 'old' }],
    ],
    ['nothing', [], { from: '203.0.113.9:1' }, [{ address: '203.0.113.9' }]],
  ]
  for (const [title, objects, line, callers] of cases) {
    const report = await run([...WEB, ...objects], text(line))
    t.same(callersIn(report), callers, title)
    const isUnknown = title.includes('two workloads') || title.includes('later')
    t.equal(
      report.unknown.some(({ about, reason }) => about.includes('shop') && reason.includes('10.1.0.9')),
      isUnknown,
      `${title}: unknown`,
    )
  }
})

t.test('an address from X-Forwarded-For is not one of the pod that has it', async (t) => {
  const report = await run([...WEB, ...REPORT], text({ from: '10.1.0.9:0' }))
  t.same(callersIn(report), [{ address: '10.1.0.9' }])
  t.match(report.unknown.map(({ reason }) => reason).join(' '), /which proxy forwarded 1 request/)
})

t.test('every wrapper of a line is read', async (t) => {
  const stamp = '2026-11-27T03:12:04.123456789Z'
  const loki = (lines: readonly string[]): object => ({
    status: 'success',
    data: {
      resultType: 'streams',
      result: [{ stream: { pod: 'web-1', line: 'none' }, values: lines.map((line) => ['1764213124000000000', line]) }],
    },
  })
  const cases: readonly (readonly [string, string | Buffer])[] = [
    ['text', text()],
    ['JSON', json()],
    ['CRLF', `${text()}\r\n`],
    ['kubectl logs --prefix', `[pod/web-1/istio-proxy] ${text()}`],
    ['--timestamps', `${stamp} ${text()}`],
    ['both', `[pod/web-1/istio-proxy] ${stamp} ${json()}`],
    ['containerd', `${stamp} stdout F ${text()}`],
    ['Docker', JSON.stringify({ log: `${text()}\n`, stream: 'stdout', time: stamp })],
    ['stern', `web-1 istio-proxy ${text()}`],
    ['logcli -o jsonl', JSON.stringify({ labels: { pod: 'web-1' }, line: text(), timestamp: stamp })],
    ["Loki's response", JSON.stringify(loki([text()]))],
    ["Loki's response, indented", JSON.stringify(loki([json()]), undefined, 2)],
    ["Grafana's export", JSON.stringify([{ line: text(), timestamp: '1764213124000000000', fields: {} }])],
    ["Grafana's text", `${stamp}\t${text()}`],
    ['Cloud Logging', JSON.stringify({ insertId: 'x', jsonPayload: JSON.parse(json()) as object })],
    ['gzip', gzipSync(text())],
    ['two gzip members', Buffer.concat([gzipSync(`${text({ sni: 'outbound_.80_._.web.shop' })}\n`), gzipSync(text())])],
  ]
  for (const [title, content] of cases) {
    const report = await run([...WEB, ...REPORT], [file(content)])
    t.same(callersIn(report), [REPORT_CALLER], title)
    t.notOk(
      report.findings.some(({ code }) => code === 'access-log-lines-unreadable'),
      `${title}: readable`,
    )
  }
})

t.test('formats of the mesh configuration are read', async (t) => {
  const labels = {
    who: '%DOWNSTREAM_REMOTE_ADDRESS%',
    nested: { me: '%DOWNSTREAM_LOCAL_ADDRESS%' },
    both: '%UPSTREAM_CLUSTER% %REQUESTED_SERVER_NAME%',
  }
  const line = JSON.stringify({ who: '10.1.0.9:4', nested: { me: '10.1.0.1:8080' }, both: 'inbound|8080|| -' })
  const custom = (mtls: string) =>
    `at=2026-11-27T03:12:04.1Z peer=10.1.0.9:4 me=10.1.0.1:8080 to=inbound|8080|| tls=${mtls}`
  const provider = (logFormat: object) => ({
    extensionProviders: [{ name: 'mine', envoyFileAccessLog: { path: '/dev/stdout', logFormat } }],
  })
  const cases: readonly (readonly [string, object, string, number])[] = [
    ['accessLogFormat', { accessLogFormat: CUSTOM }, custom('false'), 1],
    ['connection.mtls', { accessLogFormat: CUSTOM }, custom('true'), 0],
    ['accessLogEncoding JSON', { accessLogEncoding: 'JSON', accessLogFormat: JSON.stringify(labels) }, line, 1],
    ['text of a provider', provider({ text: CUSTOM }), custom('false'), 1],
    ['labels of a provider', provider({ labels }), line, 1],
    ["Istio's default beside it", { accessLogFormat: CUSTOM }, text(), 1],
    [
      'its lines behind a prefix',
      { accessLogFormat: CUSTOM },
      `[pod/web-1/istio-proxy] 2026-11-27T03:12:05Z ${custom('false')}`,
      1,
    ],
  ]
  for (const [title, mesh, log, callers] of cases)
    t.equal(
      callersIn(await run([...WEB, ...REPORT], log, { values: { mesh: mesh as JsonObject } })).length,
      callers,
      title,
    )
})

t.test('what a client writes does not move the addresses', (t) => {
  const read = createReader({ kind: 'text', text: DEFAULT_TEXT })
  for (const agent of ['a" "b" "c', '"10.1.0.7:1" inbound|1||', '] "', 'x'.repeat(5000)])
    t.match(
      read(text({ agent })),
      { remote: '10.1.0.9:40000', local: '10.1.0.1:8080', cluster: 'inbound|8080||' },
      agent.slice(0, 30),
    )
  const formats: readonly AccessLogFormat[] = [
    { kind: 'text', text: '' },
    { kind: 'text', text: '%' },
    { kind: 'text', text: '%START_TIME%' },
    { kind: 'json', labels: { a: 1 } },
  ]
  for (const format of formats) t.doesNotThrow(() => createReader(format)('anything'))
  t.end()
})

t.test('the verdict', async (t) => {
  const mesh = text({ sni: 'outbound_.8080_._.web.shop.svc.cluster.local' })
  const verdict = async (objects: readonly JsonObject[], log: string) =>
    (await run(objects, log)).namespaces.find(({ name }) => name === 'shop')?.verdict
  const outside = deployment('old', {}, { namespace: 'legacy' })
  t.equal(await verdict([...WEB, outside], mesh), 'yes', 'mutual TLS only, with lines of every pod')
  t.equal(await verdict([...WEB, ...REPORT], `${mesh}\n${text()}`), 'no', 'a caller in plain text')
  t.equal(
    await verdict([...WEB, outside, runningPod('two', {}, { ip: '10.1.0.2' })], mesh),
    'unknown',
    'a pod without lines',
  )
  t.equal(await verdict([...WEB, outside], `${mesh}\nno line`), 'unknown', 'a line that cannot be read')
  const nodePort = service('open', { type: 'NodePort', selector: { app: 'web' } }, { nodePort: 30080 })
  t.not(await verdict([...WEB, outside, nodePort], mesh), 'yes', 'a way in from outside')
})

t.test('input that is no access log is an error with a code', async (t) => {
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  const packed = gzipSync(times(1000))
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no such file', join(folder, 'none'), /no such file or folder/],
    ['a folder without files', empty, /the folder has no files/],
    ['a binary file', file(Buffer.from([1, 2, 0, 3])), /binary file/],
    ['a gzip file cut off', file(packed.subarray(0, packed.length - 200)), /cut off/],
    ['a damaged gzip file', file(Buffer.concat([packed.subarray(0, 100), Buffer.alloc(200, 7)])), /damaged/],
    ['zstd', file(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 1])), /packed with zstd/],
    [
      'a torn document',
      file('{"status":"success","data":{"result":[{"values":[["1764213124000000000","[2026'),
      /ends early/,
    ],
  ]
  for (const [title, path, problem] of cases) {
    await t.rejects(run(WEB, [path]), { code: 'access-log-unreadable', message: problem }, title)
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'check', '--from', RECORDED, '--access-log', path], {
      encoding: 'utf8',
    })
    t.equal(status, 2, `${title}: exit code`)
    t.match(stderr, /\[istio-onramp\/access-log-unreadable\]/, `${title}: code`)
  }
})

t.test('the log of a real node, from files, folders and standard input', async (t) => {
  const cluster = ['--from', join(RECORDED, 'cluster.json'), '-o', 'json']
  const named = (args: readonly string[], input?: string) => {
    const stdout = execFileSync(process.execPath, [CLI, 'check', ...cluster, '--fail-on', 'never', ...args], {
      encoding: 'utf8',
      ...(input === undefined ? {} : { input }),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const { findings } = JSON.parse(stdout) as Report
    t.notOk(
      findings.some(({ code }) => code === 'access-log-lines-unreadable'),
      'every line is read',
    )
    return [
      ...new Set(
        findings
          .filter(({ code }) => code.startsWith('plaintext-connection'))
          .map(({ message }) => /^[^,]+/.exec(message)?.[0]),
      ),
    ].toSorted()
  }
  const log = join(RECORDED, 'permissive.log')
  const callers = [
    'Address 203.0.113.9',
    'CronJob legacy/report',
    ...[
      'legacy/outside',
      'legacy/prometheus',
      'legacy/tolerated',
      'shop/by-address',
      'shop/by-port',
      'shop/by-range',
      'shop/by-user',
      'shop/ruled-by',
    ].map((name) => `Deployment ${name}`),
    'Node node',
    'Pod legacy/keepalive',
  ]
  t.same(named(['--access-log', log]), callers)
  t.same(named(['--access-log', '-'], readFileSync(log, 'utf8')), callers, 'standard input')
  const logs = join(folder, 'logs')
  mkdirSync(join(logs, 'deep'), { recursive: true })
  writeFileSync(join(logs, 'deep', 'web.gz'), gzipSync(readFileSync(log)))
  t.same(named(['--access-log', logs]), callers, 'a folder')
  t.match(
    named(['--assume-strict', 'shop', '--access-log', join(RECORDED, 'strict.log')]),
    ['CronJob legacy/report', 'Deployment legacy/outside'].slice(1),
    'after the switch',
  )
})

t.test('the logs of a live cluster', async (t) => {
  const logs = new Map<string, string | number>()
  const asked: string[] = []
  const api = (pods: readonly JsonObject[]) => {
    const sources = liveSources(mesh(pods), {
      api: {
        server: 'https://api',
        stream: async (path: string) => {
          asked.push(path)
          const answer = logs.get(path.split('/')[6] ?? '') ?? 404
          if (typeof answer === 'number') throw new ApiError(answer, `pods is ${answer}`)
          return Readable.from([Buffer.from(answer)]) as AsyncIterable<Buffer>
        },
      } as unknown as ClusterApi,
      namespaces: ['shop'],
      sinceSeconds: 60,
      tell: () => undefined,
    })
    return readLogs(sources, [])
  }
  const pods = [
    runningPod('web', {}),
    runningPod('none', {}, { sidecar: false, ip: '10.1.0.3' }),
    pod('over', { phase: 'Succeeded' }),
  ]
  logs.set('web-5d9f-x2x', `${text()}\n${text()}`)
  t.equal((await api(pods)).flows[0]?.lines, 2)
  t.same(
    asked,
    ['/api/v1/namespaces/shop/pods/web-5d9f-x2x/log?container=istio-proxy&sinceSeconds=60'],
    'sidecars only',
  )
  for (const status of [404, 400]) {
    logs.set('web-5d9f-x2x', status)
    t.same((await api(pods)).flows, [], `${status}: a pod that is gone or has not started`)
  }
  logs.set('web-5d9f-x2x', 403)
  await t.rejects(api(pods), { code: 'pod-logs-unreadable', message: /get on pods\/log/ })
  logs.set('web-5d9f-x2x', 500)
  await t.rejects(api(pods), { code: 'pod-logs-unreadable', message: /Pod shop\/web-5d9f-x2x: pods is 500/ })
  t.throws(
    () =>
      liveSources(mesh([]), {
        api: { server: 'x' } as ClusterApi,
        namespaces: [],
        sinceSeconds: undefined,
        tell: () => undefined,
      }),
    { code: 'pod-logs-unreadable' },
  )
})

t.test('flags that contradict each other are wrong usage', (t) => {
  for (const args of [
    ['--access-log', 'live', '--from', RECORDED],
    ['--access-log', '-', '--from', '-'],
    ['--access-log', 'x', '--watch'],
    ['--since', 'yesterday', '--from', RECORDED],
    ['--since', '0h', '--from', RECORDED],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'check', ...args], { encoding: 'utf8' })
    t.equal(status, 2, args.join(' '))
    t.match(stderr, /^error: /)
  }
  t.end()
})
