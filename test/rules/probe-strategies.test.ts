// Where `auto` must not take Istio's agent: the truth tables of choose-strategy.ts, agent-probe.ts and managed-mesh.ts. Each row
// has a twin that differs in the one thing and does take the agent.
import t from 'tap'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { referenceTo } from '../../src/kubernetes/object.ts'
import { probesRule } from '../../src/rules/probes/probes-rule.ts'
import type { RuleResult } from '../../src/rules/rule.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import {
  container,
  contextOf,
  DEFAULT_INSTALL,
  HTTP_PROBE,
  istioInstall,
  namespaceObject,
  peerAuthentication,
  pod,
  type InjectorValues,
} from '../support/fixtures.ts'

interface Shop {
  readonly values?: InjectorValues
  readonly install?: (objects: readonly JsonObject[]) => readonly JsonObject[]
  readonly labels?: JsonObject
}

function decide(object: JsonObject, { values = {}, install = (all) => all, labels }: Shop = {}): RuleResult {
  const { state, problems } = buildClusterState([
    ...install(istioInstall(DEFAULT_INSTALL, {}, { rewriteAppHTTPProbe: false, ...values })),
    namespaceObject('shop', labels ?? { 'istio-injection': 'enabled' }),
    peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } }),
  ])
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  const request = {
    operation: 'CREATE',
    reference: referenceTo(object),
    object,
    oldObject: undefined,
    user: '',
  } as const
  return probesRule.apply(request, contextOf(state))
}

/** `web livenessProbe agent, web readinessProbe exec`, in the order of the pod. */
function strategies({ decisions }: RuleResult): string {
  return decisions
    .map(({ container: name, slot, action, strategy, reason }) =>
      [name, slot, action === 'leave' ? `left: ${reason}` : strategy].join(' '),
    )
    .join(', ')
}

const PORTS = [{ name: 'http', containerPort: 8080 }]
const web = (checks: Record<string, Json>, annotations: JsonObject = {}, spec: JsonObject = {}): JsonObject =>
  pod([container('web', { ports: PORTS, ...checks })], { metadata: { annotations }, spec })

/** A liveness probe that the agent can serve, and another of the same pod. */
const beside = (readinessProbe: JsonObject): JsonObject => web({ livenessProbe: HTTP_PROBE, readinessProbe })
const get = (more: JsonObject): JsonObject => ({ httpGet: { path: '/ready', port: 8080, ...more } })
const side = (check: Record<string, Json>): JsonObject =>
  pod([container('web', { livenessProbe: HTTP_PROBE })], {
    spec: { initContainers: [container('side', { restartPolicy: 'Always', ...check })] },
  })
const nonNative = { 'sidecar.istio.io/nativeSidecar': 'false' }

t.test('leave and port mix where an older Istio rewrites only a part', (t) => {
  const annotations = { 'istio-onramp.io/probe-port': '8089', 'traffic.sidecar.istio.io/excludeInboundPorts': '8089' }
  const object = web({ livenessProbe: HTTP_PROBE, readinessProbe: { tcpSocket: { port: 8080 } } }, annotations)
  const of = (tag: string) => strategies(decide(object, { values: { rewriteAppHTTPProbe: true, tag } }))
  t.equal(of('1.11.0'), 'web livenessProbe left: istio-rewrites, web readinessProbe port', 'no tcpSocket before 1.12')
  t.equal(of('1.12.0'), 'web livenessProbe left: istio-rewrites, web readinessProbe left: istio-rewrites')
  t.end()
})

t.test('another probe of the pod decides whether the pod asks Istio', (t) => {
  const rows: readonly (readonly [string, JsonObject, string])[] = [
    ['a plain one', beside(get({})), 'web livenessProbe agent, web readinessProbe agent'],
    ['host', beside(get({ host: '10.0.0.9' })), 'web livenessProbe exec, web readinessProbe left: other-host'],
    [
      'a Host header',
      beside(get({ httpHeaders: [{ name: 'Host', value: 'shop' }] })),
      'web livenessProbe agent, web readinessProbe agent',
    ],
    [
      'a name that no port has',
      beside(get({ port: 'nowhere' })),
      'web livenessProbe exec, web readinessProbe left: unresolvable-port',
    ],
    ['a name of this container', beside(get({ port: 'http' })), 'web livenessProbe agent, web readinessProbe agent'],
    [
      'an unknown field',
      beside(get({ maxRedirects: 1 })),
      'web livenessProbe exec, web readinessProbe left: unknown-field',
    ],
    [
      'HTTP/2 in clear, which becomes exec',
      beside(get({ protocol: 'HTTP2' })),
      'web livenessProbe agent, web readinessProbe exec',
    ],
    ['HTTP/1.1 by name', beside(get({ protocol: 'HTTP1' })), 'web livenessProbe agent, web readinessProbe agent'],
    [
      'gRPC over TLS, which becomes exec',
      beside({ grpc: { port: 9443, mode: 'TLS' } }),
      'web livenessProbe agent, web readinessProbe exec',
    ],
    ['gRPC in clear', beside({ grpc: { port: 9443 } }), 'web livenessProbe agent, web readinessProbe agent'],
    ['a path that is no URL', beside(get({ path: '/100%' })), 'web livenessProbe agent, web readinessProbe exec'],
    [
      'a path that names a host',
      beside(get({ path: '//other/ready' })),
      'web livenessProbe agent, web readinessProbe exec',
    ],
    ['an escaped path', beside(get({ path: '/100%25?of=%' })), 'web livenessProbe agent, web readinessProbe agent'],
    ['a relative path', beside(get({ path: 'ready' })), 'web livenessProbe agent, web readinessProbe agent'],
    [
      'an exec',
      beside({ exec: { command: ['true'] } }),
      'web livenessProbe agent, web readinessProbe left: local-handler',
    ],
  ]
  for (const [title, object, expected] of rows) t.equal(strategies(decide(object)), expected, title)
  t.match(decide(beside(get({ maxRedirects: 1 }))).warnings.join(), /readinessProbe\.httpGet\.maxRedirects/, 'is named')
  t.end()
})

t.test('a port name of another container resolves nowhere', (t) => {
  const asks = (port: string) =>
    pod([
      container('a', { livenessProbe: get({ port }), ports: PORTS }),
      container('b', { livenessProbe: HTTP_PROBE, ports: [{ name: 'other', containerPort: 81 }] }),
    ])
  t.equal(strategies(decide(asks('other'))), 'a livenessProbe left: unresolvable-port, b livenessProbe exec')
  t.equal(strategies(decide(asks('http'))), 'a livenessProbe agent, b livenessProbe agent')
  t.end()
})

t.test('a restartable init container whose startup probe would wait for an agent that starts after it', (t) => {
  const startup = side({ startupProbe: { tcpSocket: { port: 81 } } })
  const annotated = (object: JsonObject): JsonObject => ({
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), annotations: nonNative },
  })
  t.equal(strategies(decide(startup)), 'side startupProbe agent, web livenessProbe agent')
  t.equal(strategies(decide(annotated(startup))), 'side startupProbe exec, web livenessProbe agent')
  t.equal(
    strategies(decide(startup, { values: { tag: '1.26.3' } })),
    'side startupProbe exec, web livenessProbe agent',
    'native by default since 1.27',
  )
  t.equal(
    strategies(decide(annotated(side({ readinessProbe: { tcpSocket: { port: 81 } } })))),
    'side readinessProbe agent, web livenessProbe agent',
  )
  t.end()
})

t.test('the status port has to take plain text, and the agent has to listen there', (t) => {
  const port = 'status.sidecar.istio.io/port'
  const include = 'traffic.sidecar.istio.io/includeInboundPorts'
  const rows: readonly (readonly [string, JsonObject, InjectorValues, 'agent' | 'exec'])[] = [
    ['the default', {}, {}, 'agent'],
    ['captured by includeInboundPorts', { [include]: '8080,15020' }, {}, 'exec'],
    ['another list', { [include]: '8080' }, {}, 'agent'],
    ["captured, because the mesh's is another", {}, { statusPort: 16020 }, 'exec'],
    ['the same, excluded', { 'traffic.sidecar.istio.io/excludeInboundPorts': '16020' }, { statusPort: 16020 }, 'agent'],
    ["of both the mesh's and the proxy's values", {}, { statusPort: 16020, proxy: { statusPort: 16020 } }, 'agent'],
    ['0', { [port]: '0' }, {}, 'exec'],
    ['16020', { [port]: '16020' }, {}, 'agent'],
    ["the proxy's own", { [port]: '15021' }, {}, 'exec'],
    ['in proxy.istio.io/config alone', { 'proxy.istio.io/config': 'statusPort: 16021' }, {}, 'exec'],
    ['in both', { 'proxy.istio.io/config': 'statusPort: 16020', [port]: '16020' }, {}, 'agent'],
    ['another entry of proxy.istio.io/config', { 'proxy.istio.io/config': 'concurrency: 2' }, {}, 'agent'],
  ]
  for (const [title, annotations, values, expected] of rows)
    t.equal(
      strategies(decide(web({ livenessProbe: HTTP_PROBE }, annotations), { values })),
      `web livenessProbe ${expected}`,
      title,
    )
  t.end()
})

t.test('a container that came after Istio is not served', (t) => {
  const status = { 'sidecar.istio.io/status': '{"containers":["istio-proxy"]}' }
  const late = (annotations: JsonObject) =>
    pod([container('web', { livenessProbe: HTTP_PROBE }), container('istio-proxy', {})], {
      metadata: { annotations },
      spec: {
        initContainers: [container('istio-init', { args: ['istio-iptables', '-b', '*', '-d', '15090,15021,15020'] })],
      },
    })
  const reinvoked = (policy: string) => (objects: readonly JsonObject[]) =>
    objects.map((object) =>
      object['kind'] === 'MutatingWebhookConfiguration'
        ? {
            ...object,
            webhooks: (object['webhooks'] as readonly JsonObject[]).map((entry) => ({
              ...entry,
              reinvocationPolicy: policy,
            })),
          }
        : object,
    )
  const values = { rewriteAppHTTPProbe: true }
  t.equal(strategies(decide(late(status), { values, install: reinvoked('Never') })), 'web livenessProbe exec')
  t.equal(
    strategies(decide(late(status), { values, install: reinvoked('IfNeeded') })),
    'web livenessProbe left: istio-rewrites',
  )
  t.equal(strategies(decide(web({ livenessProbe: HTTP_PROBE }), { values })), 'web livenessProbe left: istio-rewrites')
  t.end()
})

t.test('a managed mesh ignores the annotation; it is known by its webhook, whatever selects the pod', (t) => {
  const edited = (edit: (configuration: JsonObject) => JsonObject) => (objects: readonly JsonObject[]) =>
    objects.map((object) => (object['kind'] === 'MutatingWebhookConfiguration' ? edit(object) : object))
  const metadata = (more: JsonObject) =>
    edited((object) => ({ ...object, metadata: { ...(object['metadata'] as JsonObject), ...more } }))
  const calling = (url: string) =>
    edited((object) => ({
      ...object,
      webhooks: (object['webhooks'] as readonly JsonObject[]).map((entry) => ({ ...entry, clientConfig: { url } })),
    }))
  const rows: readonly (readonly [string, NonNullable<Shop['install']>, 'agent' | 'exec'])[] = [
    ['revision asm-managed', metadata({ labels: { 'istio.io/rev': 'asm-managed' } }), 'exec'],
    ['revision asm-managed-rapid', metadata({ labels: { 'istio.io/rev': 'asm-managed-rapid' } }), 'exec'],
    ['revision asm-managed-stable', metadata({ labels: { 'istio.io/rev': 'asm-managed-stable' } }), 'exec'],
    ['its configuration', metadata({ name: 'istiod-asm-managed-stable' }), 'exec'],
    ['its owner', metadata({ labels: { 'istio.io/owned-by': 'mesh.googleapis.com' } }), 'exec'],
    [
      'a URL of Cloud Run',
      calling('https://asm-abc-uc.a.run.app/inject/ISTIO_META_CLOUDRUN_ADDR/asm-abc-uc.a.run.app'),
      'exec',
    ],
    ['a URL behind VPC-SC', calling('https://meshconfig.googleapis.com/v1alpha1/projects/p/webhooks/inject/x'), 'exec'],
    ['an external istiod of another kind', calling('https://istiod.example.com:15017/inject'), 'agent'],
    ['another owner', metadata({ labels: { 'istio.io/owned-by': 'platform' } }), 'agent'],
  ]
  for (const [title, install, expected] of rows)
    t.equal(strategies(decide(web({ livenessProbe: HTTP_PROBE }), { install })), `web livenessProbe ${expected}`, title)
  const asked = decide(web({ livenessProbe: HTTP_PROBE }, { 'istio-onramp.io/probes': 'agent' }), {
    install: metadata({ name: 'istiod-asm-managed' }),
  })
  t.match(asked.warnings.join(), /managed Cloud Service Mesh.*exec/, 'whoever asks for the agent is told why not')
  t.end()
})

t.test('settings that cannot be met: key, value, allowed values, and what removing one would save', (t) => {
  const rows: readonly (readonly [string, JsonObject, string, RegExp])[] = [
    [
      'strategy',
      { 'istio-onramp.io/probes': 'sidecar' },
      'agent',
      /istio-onramp\.io\/probes is "sidecar"; allowed are auto, exec, port, agent, off/,
    ],
    [
      'port out of range',
      { 'istio-onramp.io/probe-port': '70000' },
      'agent',
      /istio-onramp\.io\/probe-port is "70000"; allowed are a port from 1 to 65535/,
    ],
    [
      'no such container',
      { 'istio-onramp.io/probe-port': 'db=8081' },
      'agent',
      /istio-onramp\.io\/probe-port is "db=8081"; allowed are ports of containers that the pod has: web/,
    ],
    [
      "the user's own false",
      { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false', 'istio-onramp.io/probes': 'agent' },
      'exec',
      /sidecar\.istio\.io\/rewriteAppHTTPProbers is "false"; without it .* 1\.8 ms of node CPU per probe instead of 35/,
    ],
    ['a value that Istio ignores', { 'sidecar.istio.io/rewriteAppHTTPProbers': 'maybe' }, 'exec', /is "maybe"/],
  ]
  for (const [title, annotations, expected, warning] of rows) {
    const result = decide(web({ livenessProbe: HTTP_PROBE }, annotations))
    t.equal(strategies(result), `web livenessProbe ${expected}`, title)
    t.match(result.warnings.join('\n'), warning, title)
  }
  t.end()
})

t.test('odd pods', (t) => {
  const rows: readonly (readonly [string, JsonObject, string])[] = [
    [
      'hostNetwork',
      web({ livenessProbe: HTTP_PROBE }, {}, { hostNetwork: true }),
      'web livenessProbe left: no-sidecar',
    ],
    [
      'hostPort',
      web({ livenessProbe: HTTP_PROBE, ports: [{ containerPort: 8080, hostPort: 80 }] }),
      'web livenessProbe agent',
    ],
    [
      'Windows',
      web({ livenessProbe: HTTP_PROBE }, {}, { nodeSelector: { 'kubernetes.io/os': 'windows' } }),
      'web livenessProbe left: windows',
    ],
    [
      'an ephemeral container',
      web({ livenessProbe: HTTP_PROBE }, {}, { ephemeralContainers: [container('debug', {})] }),
      'web livenessProbe agent',
    ],
    [
      'containerPort 0',
      web({ livenessProbe: get({ port: 'x' }), ports: [{ name: 'x', containerPort: 0 }] }),
      'web livenessProbe left: unresolvable-port',
    ],
    [
      'httpGet and tcpSocket',
      web({ livenessProbe: { ...HTTP_PROBE, tcpSocket: { port: 1 } } }),
      'web livenessProbe left: malformed',
    ],
    ['an empty path', web({ livenessProbe: get({ path: '' }) }), 'web livenessProbe agent'],
    ['HTTPS', web({ livenessProbe: get({ scheme: 'HTTPS' }) }), 'web livenessProbe agent'],
    ['an IPv6 host', web({ livenessProbe: get({ host: 'fd00::1' }) }), 'web livenessProbe left: other-host'],
  ]
  for (const [title, object, expected] of rows) t.equal(strategies(decide(object)), expected, title)
  t.end()
})
