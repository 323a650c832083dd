// The chart's alerts in Prometheus' own hands: promtool reads the rules, and each alert fires and clears on series as the
// server and the API server write them. Needs promtool, which hack/cluster/install-packages brings.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createClusterMetrics } from '../../src/server/cluster-metrics.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { arrayMember, member, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { CHART, NAME, nameOf, NAMESPACE, ofKind, only, render } from '../support/api-server/helm.ts'

const RUNBOOKS = join(CHART, '../../docs/runbooks')
const rendered = render({ values: { prometheusRule: { enabled: true }, dashboard: { enabled: true } } })
const dashboard = ofKind(rendered, 'ConfigMap').find((object) => nameOf(object).endsWith('-dashboard'))
const groups = memberAt(only(rendered, 'PrometheusRule'), 'spec') as JsonObject
const alerts = arrayMember(groups, 'groups').flatMap((group) => arrayMember(group, 'rules')) as unknown as JsonObject[]

function promtool(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' })
  if (error !== undefined)
    throw new Error('promtool is not here: apt-get install prometheus, or hack/cluster/install-packages')
  return status === 0 ? '' : stdout + stderr
}

t.test('Prometheus reads every rule', async (t) => {
  const file = join(t.testdir(), 'rules.yaml')
  writeFileSync(file, JSON.stringify(groups))
  t.equal(promtool('check', 'rules', file), '')
  t.ok(alerts.length >= 9)
})

t.test('each alert has a page of its own', async (t) => {
  for (const alert of alerts) {
    const page =
      String(memberAt(alert, 'annotations', 'runbook_url'))
        .split('/')
        .at(-1) ?? ''
    const file = join(RUNBOOKS, page)
    t.ok(existsSync(file) && readFileSync(file, 'utf8').startsWith(`# ${String(alert['alert'])}\n`), page)
  }
})

const OURS = `namespace="${NAMESPACE}",service="${NAME}",pod="a"`
const series = (name: string, values: string, labels = '') => ({
  series: `${name}{${OURS}${labels === '' ? '' : `,${labels}`}}`,
  values,
})
const API_SERVER = 'apiserver_admission_webhook_fail_open_count{name="probes.istio-onramp.io",type="admit"}'
const UP = series('istio_onramp_draining', '0x120')

interface Case {
  readonly alert: string
  /** One sample a minute. */
  readonly input: readonly { readonly series: string; readonly values: string }[]
  readonly fires: string
  readonly clears: string
}

const CASES: readonly Case[] = [
  {
    alert: 'IstioOnrampAbsent',
    input: [series('istio_onramp_draining', '_x20 0x40')],
    fires: '10m',
    clears: '22m',
  },
  {
    alert: 'IstioOnrampFailsOpen',
    input: [UP, series('istio_onramp_fail_open_total', '_x20 1x60', 'reason="cluster-unknown"')],
    fires: '22m',
    clears: '40m',
  },
  {
    alert: 'IstioOnrampNotCalled',
    input: [UP, { series: API_SERVER, values: '3x19 4x60' }],
    fires: '21m',
    clears: '40m',
  },
  {
    alert: 'IstioOnrampCertificateExpires',
    input: [UP, series('istio_onramp_certificate_not_after_seconds', '604740x29 700000x60')],
    fires: '20m',
    clears: '32m',
  },
  {
    alert: 'IstioOnrampClusterViewOld',
    input: [UP, series('istio_onramp_cluster_contact_age_seconds', '0x9 1000x10 3x60', 'resource="pods"')],
    fires: '18m',
    clears: '25m',
  },
  {
    alert: 'IstioOnrampDenialsRise',
    input: [UP, series('istio_onramp_admission_requests_total', '0x9 1+1x20 22x200', 'verdict="deny"')],
    fires: '31m',
    clears: '120m',
  },
  {
    alert: 'IstioOnrampStrictSwitchWarned',
    input: [UP, series('istio_onramp_decisions_total', '_x9 1x90', 'rule="strict-switch",action="warn"')],
    fires: '12m',
    clears: '40m',
  },
  {
    alert: 'IstioOnrampSlow',
    input: [
      UP,
      ...['0.5', '1', '+Inf'].map((le) =>
        series('istio_onramp_admission_duration_seconds_bucket', le === '0.5' ? '0x29 0+9x60' : '0+9x90', `le="${le}"`),
      ),
    ],
    fires: '20m',
    clears: '60m',
  },
  {
    alert: 'IstioOnrampLogLinesLost',
    input: [UP, series('istio_onramp_log_lines_lost_total', '0x9 5x60')],
    fires: '11m',
    clears: '30m',
  },
  {
    alert: 'IstioOnrampConfigurationRefused',
    input: [UP, series('istio_onramp_configuration_refused', '0x4 1x9 0x60')],
    fires: '12m',
    clears: '30m',
  },
]

t.test('each alert fires when it should, and clears', async (t) => {
  t.same(CASES.map(({ alert }) => alert).sort(), alerts.map(({ alert }) => alert).sort(), 'a case for each')
  const folder = t.testdir()
  writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(groups))
  for (const { alert, input, fires, clears } of CASES) {
    const rule = alerts.find((one) => one['alert'] === alert)
    const tests = [
      {
        interval: '1m',
        input_series: input,
        alert_rule_test: [{ eval_time: clears, alertname: alert, exp_alerts: [] }],
      },
    ]
    const file = join(folder, `${alert}.yaml`)
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yaml'], tests }))
    t.equal(promtool('test', 'rules', file), '', `${alert} clears`)
    const silent = [{ ...tests[0], alert_rule_test: [{ eval_time: fires, alertname: alert, exp_alerts: [] }] }]
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yaml'], tests: silent }))
    t.match(
      promtool('test', 'rules', file),
      new RegExp(`severity="${String(memberAt(rule, 'labels', 'severity'))}"`),
      alert,
    )
  }
})

t.test('alerts and dashboard name series that the server has', async (t) => {
  const own = createMetrics()
  createClusterMetrics(own.registry, () => [])
  const names = own.registry.getMetricsAsArray().map(({ name }) => name)
  const used = [JSON.stringify(groups), String(memberAt(dashboard, 'data', 'istio-onramp.json'))].flatMap(
    (text) => text.match(/istio_onramp_\w+/g) ?? [],
  )
  t.ok(used.length > 20)
  for (const name of new Set(used)) t.ok(names.includes(name.replace(/_bucket$/, '')), name)
})

t.test('the dashboard is JSON whose panels each ask something', async (t) => {
  const text = String(memberAt(dashboard, 'data', 'istio-onramp.json'))
  const panels = arrayMember(JSON.parse(text), 'panels')
  t.ok(panels.length >= 10)
  const ids = panels.map((panel) => member(panel, 'id'))
  t.equal(new Set(ids).size, panels.length)
  for (const panel of panels) t.ok(arrayMember(panel, 'targets').length > 0, String(member(panel, 'title')))
})
