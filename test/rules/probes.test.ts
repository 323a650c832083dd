// What happens to a probe or hook: the truth tables of decide-check.ts and template-policy.ts, as tests.
import t from 'tap'
import { provePatch } from '../../src/admission/prove-patch.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { referenceTo } from '../../src/kubernetes/object.ts'
import { readPodTemplate } from '../../src/kubernetes/pod-template.ts'
import { probesRule } from '../../src/rules/probes/probes-rule.ts'
import { proberCommand } from '../../src/rules/probes/prober-command.ts'
import { restoreProbes } from '../../src/rules/probes/restore-probes.ts'
import type { RuleContext, RuleResult } from '../../src/rules/rule.ts'
import type { ClusterState } from '../../src/cluster/cluster-state.ts'
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
  strictShop,
  workload,
} from '../support/fixtures.ts'

function decide(object: JsonObject, context: RuleContext, oldObject?: JsonObject): RuleResult {
  const operation = oldObject === undefined ? 'CREATE' : 'UPDATE'
  return probesRule.apply({ operation, reference: referenceTo(object), object, oldObject, user: '' }, context)
}

function patched(object: JsonObject, { operations }: RuleResult): JsonObject {
  const proof = provePatch(object, operations)
  if ('problem' in proof) throw new Error(proof.problem)
  return proof.result
}

/** The affinity for nodes of these operating systems, a term each. */
function runsOn(...terms: readonly (readonly string[])[]): JsonObject {
  const nodeSelectorTerms = terms.map((values) => ({
    matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values }],
  }))
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
}

function first(object: JsonObject, context: RuleContext): string {
  const [decision] = decide(object, context).decisions
  return [decision?.action, decision?.strategy, decision?.reason].filter((part) => part !== undefined).join(' ')
}

function clusterOf(...objects: readonly JsonObject[]): ClusterState {
  const { state, problems } = buildClusterState(objects)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return state
}

function at(object: JsonObject, ...keys: readonly (string | number)[]): Json | undefined {
  let current: unknown = object
  for (const key of keys) current = (current as Record<string | number, unknown> | undefined)?.[key]
  return current as Json | undefined
}

const strict = contextOf(strictShop())
const web = (checks: Record<string, Json>, more: Record<string, Json> = {}): JsonObject =>
  pod([container('web', { ports: [{ name: 'http', containerPort: 8080 }], ...checks, ...more })])

t.test('which probe breaks, and what is done about it', (t) => {
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ['an httpGet on a STRICT port', web({ livenessProbe: HTTP_PROBE }), 'rewrite exec strict-mtls'],
    [
      'one on a port named in the container',
      web({ readinessProbe: { httpGet: { port: 'http' } } }),
      'rewrite exec strict-mtls',
    ],
    ['a gRPC check', web({ startupProbe: { grpc: { port: 9000 } } }), 'rewrite exec strict-mtls'],
    [
      'a tcpSocket check, which would always pass',
      web({ livenessProbe: { tcpSocket: { port: 8080 } } }),
      'rewrite exec strict-mtls-tcp',
    ],
    ['an httpGet hook', web({ lifecycle: { preStop: { httpGet: { port: 8080 } } } }), 'rewrite exec strict-mtls'],
    [
      'a tcpSocket hook, which kubelet never runs',
      web({ lifecycle: { postStart: { tcpSocket: { port: 8080 } } } }),
      'leave tcp-hook',
    ],
    ['an exec check', web({ livenessProbe: { exec: { command: ['true'] } } }), 'leave local-handler'],
    ['a sleep hook', web({ lifecycle: { preStop: { sleep: { seconds: 5 } } } }), 'leave local-handler'],
    ['another host', web({ livenessProbe: { httpGet: { host: '127.0.0.1', port: 8080 } } }), 'leave other-host'],
    ['an unknown port name', web({ livenessProbe: { httpGet: { port: 'eighty' } } }), 'leave unresolvable-port'],
    [
      'a port name of another container',
      pod([
        container('a', { livenessProbe: { httpGet: { port: 'x' } } }),
        container('b', { ports: [{ name: 'x', containerPort: 1 }] }),
      ]),
      'leave unresolvable-port',
    ],
    ["the agent's own port", web({ livenessProbe: { httpGet: { port: 15020 } } }), 'leave not-captured'],
    [
      'a check that Istio rewrote before',
      web({ livenessProbe: { httpGet: { path: '/app-health/web/livez', port: 15020 } } }),
      'leave served-by-agent',
    ],
    [
      "the agent's path of another slot does not count",
      web({ livenessProbe: { httpGet: { path: '/app-health/web/readyz', port: 15021 } } }),
      'leave not-captured',
    ],
    ['two handlers', web({ livenessProbe: { ...HTTP_PROBE, tcpSocket: { port: 1 } } }), 'leave malformed'],
    ['no handler', web({ livenessProbe: { periodSeconds: 3 } }), 'leave malformed'],
    ['port 0', web({ livenessProbe: { httpGet: { port: 0 } } }), 'leave malformed'],
    ['a probe that is a list', web({ livenessProbe: [] }), 'leave malformed'],
    ['a container of Istio', pod([container('istio-proxy', { livenessProbe: HTTP_PROBE })]), 'leave istio-container'],
    [
      'hostNetwork',
      pod([container('web', { livenessProbe: HTTP_PROBE })], { spec: { hostNetwork: true } }),
      'leave no-sidecar',
    ],
    [
      'a pod that opted out of the sidecar',
      pod([container('web', { livenessProbe: HTTP_PROBE })], {
        metadata: { labels: { 'sidecar.istio.io/inject': 'false' } },
      }),
      'leave no-sidecar',
    ],
    [
      'a Windows pod',
      pod([container('web', { livenessProbe: HTTP_PROBE })], { spec: { os: { name: 'windows' } } }),
      'leave windows',
    ],
    [
      'a Windows pod by node selector',
      pod([container('web', { livenessProbe: HTTP_PROBE })], {
        spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } },
      }),
      'leave windows',
    ],
    [
      'a Windows pod by node affinity',
      pod([container('web', { livenessProbe: HTTP_PROBE })], { spec: { affinity: runsOn(['windows']) } }),
      'leave windows',
    ],
    [
      'a pod that may run on Windows and on Linux',
      pod([container('web', { livenessProbe: HTTP_PROBE })], { spec: { affinity: runsOn(['windows'], ['linux']) } }),
      'rewrite exec strict-mtls',
    ],
    [
      'a port excluded from redirection',
      pod([container('web', { livenessProbe: HTTP_PROBE })], {
        metadata: { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } },
      }),
      'leave not-captured',
    ],
    [
      'an annotation that Istio refuses',
      pod([container('web', { livenessProbe: HTTP_PROBE })], {
        metadata: { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080-8090' } },
      }),
      'leave istio-refuses-pod',
    ],
  ]
  for (const [title, object, expected] of cases) t.equal(first(object, strict), expected, title)
  t.end()
})

t.test('the namespace decides', (t) => {
  const object = web({ livenessProbe: HTTP_PROBE })
  const policy = (mode: string) => peerAuthentication('shop', 'default', { mtls: { mode } })
  const injected = namespaceObject('shop', { 'istio-injection': 'enabled' })
  t.equal(first(object, contextOf(clusterOf(injected, policy('PERMISSIVE')))), 'leave not-strict')
  t.equal(first(object, contextOf(clusterOf(injected, policy('DISABLE')))), 'leave not-strict')
  t.equal(first(object, contextOf(clusterOf(injected))), 'leave not-strict', 'no policy at all is PERMISSIVE')
  t.equal(
    first(
      object,
      contextOf(clusterOf(injected, peerAuthentication('istio-system', 'm', { mtls: { mode: 'STRICT' } }))),
    ),
    'rewrite exec strict-mtls',
    'mesh-wide STRICT',
  )
  t.equal(first(object, contextOf(clusterOf(namespaceObject('shop'), policy('STRICT')))), 'leave no-sidecar')
  t.equal(
    first(
      object,
      contextOf(clusterOf(namespaceObject('shop', { 'istio.io/dataplane-mode': 'ambient' }), policy('STRICT'))),
    ),
    'leave ambient',
  )
  t.equal(first(object, contextOf(strictShop(), { exemptNamespaces: ['shop'] })), 'leave exempt-namespace')
  const prepared = clusterOf(
    namespaceObject('shop', { 'istio-injection': 'enabled' }, { 'istio-onramp.io/prepare-strict': 'true' }),
  )
  t.equal(first(object, contextOf(prepared)), 'rewrite exec prepare-strict')
  const exception = peerAuthentication('shop', 'web', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'PERMISSIVE' },
  })
  const preparedBut = clusterOf(
    namespaceObject('shop', { 'istio-injection': 'enabled' }, { 'istio-onramp.io/prepare-strict': 'true' }),
    exception,
  )
  t.equal(
    first(object, contextOf(preparedBut)),
    'leave not-strict',
    'a workload with a policy of its own would not change',
  )
  t.end()
})

t.test("what is known of Istio's own rewriting decides between leave and exec", (t) => {
  const shop = [
    namespaceObject('shop', { 'istio-injection': 'enabled' }),
    peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } }),
  ]
  const withValues = (values: Parameters<typeof istioInstall>[2]) =>
    contextOf(clusterOf(...istioInstall(DEFAULT_INSTALL, {}, values), ...shop))
  const on = withValues({ rewriteAppHTTPProbe: true })
  const off = withValues({ rewriteAppHTTPProbe: false })
  const hook = web({ lifecycle: { preStop: { httpGet: { port: 8080 } } } })
  const object = web({ livenessProbe: HTTP_PROBE })
  t.equal(first(object, on), 'leave istio-rewrites')
  t.equal(first(object, off), 'annotate agent strict-mtls', 'the agent can serve it, and the pod says nothing')
  t.equal(first(hook, on), 'leave istio-rewrites')
  t.equal(first(hook, withValues({ tag: '1.24.6' })), 'rewrite exec strict-mtls', 'hooks are rewritten since 1.25')
  t.equal(
    first(web({ livenessProbe: { grpc: { port: 1 } } }), withValues({ tag: '1.12.0' })),
    'rewrite exec strict-mtls',
    'gRPC since 1.13',
  )
  t.equal(
    first(web({ livenessProbe: { tcpSocket: { port: 1 } } }), withValues({ tag: '1.11.0' })),
    'rewrite exec strict-mtls-tcp',
    'TCP since 1.12',
  )
  const annotated = (value: string) =>
    pod([container('web', { livenessProbe: HTTP_PROBE })], {
      metadata: { annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': value } },
    })
  t.equal(first(annotated('false'), on), 'rewrite exec strict-mtls')
  t.equal(first(annotated('true'), off), 'leave istio-rewrites')
  t.equal(first(annotated('true'), strict), 'leave istio-rewrites', 'the annotation tells without the ConfigMap')
  t.equal(first(annotated('yes'), off), 'rewrite exec strict-mtls', 'an unparsable value counts as absent')
  t.equal(
    first(object, withValues({ statusPort: 16020 })),
    'rewrite exec strict-mtls',
    'Istio would send it to a port that is itself STRICT',
  )
  t.end()
})

t.test('settings: the pod beats the namespace, the namespace the configuration', (t) => {
  const asked = (value: string, more: JsonObject = {}) =>
    pod([container('web', { livenessProbe: HTTP_PROBE })], {
      metadata: { annotations: { 'istio-onramp.io/probes': value, ...more } },
    })
  const object = web({ livenessProbe: HTTP_PROBE })
  t.equal(first(asked('off'), strict), 'leave off')
  t.equal(first(object, contextOf(strictShop({ 'istio-onramp.io/probes': 'off' }))), 'leave off')
  t.equal(first(asked('exec'), contextOf(strictShop({ 'istio-onramp.io/probes': 'off' }))), 'rewrite exec strict-mtls')
  t.equal(first(object, contextOf(strictShop(), { probes: 'off' })), 'leave off')
  t.equal(first(asked('agent'), strict), 'annotate agent strict-mtls')
  const result = decide(asked('sometimes'), strict)
  t.equal(result.decisions[0]?.action, 'rewrite', 'a bad value is passed over')
  t.match(
    result.warnings.join('\n'),
    /istio-onramp\.io\/probes is "sometimes"; allowed are auto, exec, port, agent, off/,
  )
  t.end()
})

t.test('a port without mutual TLS is used where the pod names one, and only if it is one', (t) => {
  const open = peerAuthentication('shop', 'web', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 8081: { mode: 'PERMISSIVE' } },
  })
  const context = contextOf(strictShop({}, open))
  const named = (ports: string, checks: Record<string, Json>, more: JsonObject = {}) =>
    pod([container('web', checks)], {
      metadata: { labels: { app: 'web' }, annotations: { 'istio-onramp.io/probe-port': ports, ...more } },
    })
  const object = named('8081', { livenessProbe: HTTP_PROBE })
  t.equal(first(object, context), 'rewrite port strict-mtls')
  t.same(at(patched(object, decide(object, context)), 'spec', 'containers', 0, 'livenessProbe'), {
    httpGet: { path: '/healthz', port: 8081 },
  })
  t.equal(first(named('web=8081,other=1', { livenessProbe: HTTP_PROBE }), context), 'rewrite port strict-mtls')
  t.equal(first(named('other=8081', { livenessProbe: HTTP_PROBE }), context), 'rewrite exec strict-mtls')
  t.equal(
    first(named('9090', { livenessProbe: HTTP_PROBE }), context),
    'rewrite exec strict-mtls',
    'that port is STRICT too',
  )
  t.match(
    decide(named('9090', { livenessProbe: HTTP_PROBE }), context).warnings.join(),
    /port 9090 \(probe-port\) also requires mTLS; using the exec strategy for web livenessProbe \(exec\) \[istio-onramp\/strict-mtls\]/,
  )
  t.equal(
    first(named('8081', { livenessProbe: { tcpSocket: { port: 8080 } } }), context),
    'rewrite exec strict-mtls-tcp',
    'the proxy answers a handshake on any redirected port',
  )
  const own = named('15020', { livenessProbe: HTTP_PROBE })
  t.equal(first(own, context), 'rewrite exec strict-mtls', "Istio's agent would answer there, with 404")
  t.match(decide(own, context).warnings.join(), /port 15020 \(probe-port\) belongs to Istio's agent; using the exec/)
  const elsewhere = { 'status.sidecar.istio.io/port': '8081' }
  t.equal(first(named('8081', { livenessProbe: HTTP_PROBE }, elsewhere), context), 'rewrite exec strict-mtls')
  const excluded = { 'traffic.sidecar.istio.io/excludeInboundPorts': '8081' }
  t.equal(
    first(named('8081', { livenessProbe: { tcpSocket: { port: 8080 } } }, excluded), context),
    'rewrite port strict-mtls-tcp',
  )
  for (const bad of ['0', '70000', 'web=', '=1', 'web', '8081,8082'])
    t.match(
      decide(named(bad, { livenessProbe: HTTP_PROBE }), context).warnings.join(),
      /annotation istio-onramp\.io\/probe-port is .* it is ignored/,
      bad,
    )
  t.end()
})

t.test('an exec rewrite is whole: command, environment, volume, init container, receipt', (t) => {
  const object = pod(
    [
      container('web', {
        ports: [{ name: 'http', containerPort: 8080 }],
        resources: { requests: { cpu: '100m', memory: '64Mi', 'nvidia.com/gpu': '1' } },
        livenessProbe: {
          httpGet: { path: '/a$b', port: 'http', httpHeaders: [{ name: 'Host', value: 'x y' }] },
          timeoutSeconds: 4,
          periodSeconds: 7,
        },
      }),
    ],
    {
      spec: {
        initContainers: [container('side', { restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 99 } } })],
        securityContext: { runAsUser: 0 },
      },
    },
  )
  const after = patched(object, decide(object, strict))
  t.same(at(after, 'spec', 'containers', 0, 'livenessProbe'), {
    timeoutSeconds: 4,
    periodSeconds: 7,
    exec: {
      command: ['/istio-onramp/prober', 'http', '--port=8080', '--path=/a$$b', '--header=Host: x y', '--timeout=4s'],
    },
  })
  t.same(at(after, 'spec', 'containers', 0, 'env'), [
    { name: 'ISTIO_ONRAMP_POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
  ])
  t.same(at(after, 'spec', 'containers', 0, 'volumeMounts'), [
    { name: 'istio-onramp-prober', mountPath: '/istio-onramp', readOnly: true },
  ])
  t.same(at(after, 'spec', 'volumes'), [{ name: 'istio-onramp-prober', emptyDir: { sizeLimit: '16Mi' } }])
  t.same(at(after, 'spec', 'initContainers', 0), {
    name: 'istio-onramp-prober',
    image: strict.configuration.prober.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/prober', 'install', '/istio-onramp'],
    volumeMounts: [{ name: 'istio-onramp-prober', mountPath: '/istio-onramp' }],
    resources: { requests: { cpu: '100m', memory: '64Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      runAsUser: 65532,
    },
  })
  t.same(
    at(after, 'spec', 'initContainers', 1, 'startupProbe', 'exec', 'command'),
    ['/istio-onramp/prober', 'tcp', '--port=99', '--timeout=1s'],
    'the native sidecar comes second and also triggers a call',
  )
  const receipt: unknown = JSON.parse(String(at(after, 'metadata', 'annotations', 'istio-onramp.io/rewritten')))
  t.same(receipt, {
    side: { startupProbe: { original: { tcpSocket: { port: 99 } }, strategy: 'exec', reason: 'strict-mtls-tcp' } },
    web: {
      livenessProbe: {
        original: { httpGet: { path: '/a$b', port: 'http', httpHeaders: [{ name: 'Host', value: 'x y' }] } },
        strategy: 'exec',
        reason: 'strict-mtls',
      },
    },
  })
  t.same(decide(after, strict).operations, [], 'a second call changes nothing')
  t.end()
})

t.test('an image volume brings the prober where the cluster is known to have them', (t) => {
  const node = (kubeletVersion: string, containerRuntimeVersion = 'containerd://2.2.4'): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `${kubeletVersion} ${containerRuntimeVersion}` },
    status: { nodeInfo: { kubeletVersion, containerRuntimeVersion } },
  })
  const object = web({ livenessProbe: HTTP_PROBE })
  const volumes = (context: RuleContext) => at(patched(object, decide(object, context)), 'spec', 'volumes', 0)
  const image = {
    name: 'istio-onramp-prober',
    image: { reference: strict.configuration.prober.image, pullPolicy: 'IfNotPresent' },
  }
  t.same(volumes(contextOf(strictShop({}, node('v1.35.4')))), image)
  t.match(
    volumes(contextOf(strictShop({}, node('v1.35.4'), node('v1.34.1')))),
    { emptyDir: {} },
    'one older node is enough to do without',
  )
  for (const [kubelet, runtime, has] of [
    ['v1.35.0-gke.1', 'containerd://2.1.0', true],
    ['v1.36.2', 'containerd://v2.2.0-rc.1', true],
    ['v2.0.0', 'containerd://3.0.0', true],
    ['v1.35.4', 'containerd://2.0.9', false],
    ['v1.35.4', 'containerd://1.7.28', false],
    ['v1.35.4', 'cri-o://1.35.1', false],
    ['v1.35.4', 'docker://28.1.1', false],
    ['v1.35.4', '', false],
    ['', 'containerd://2.2.4', false],
  ] as const) {
    const expected = has ? image : { emptyDir: {} }
    t.match(volumes(contextOf(strictShop({}, node(kubelet, runtime)))), expected, `kubelet ${kubelet}, ${runtime}`)
  }
  t.match(volumes(strict), { emptyDir: {} }, 'unknown is not absent, and not present either')
  const forced = { ...strict.configuration.prober, delivery: 'image-volume' } as const
  t.same(volumes(contextOf(strictShop(), { prober: forced })), image)
  t.equal(
    at(patched(object, decide(object, contextOf(strictShop(), { prober: forced }))), 'spec', 'initContainers'),
    undefined,
  )
  t.end()
})

t.test("a conflicting mount or variable of a container is the user's and stays", (t) => {
  const volume = 'istio-onramp-prober'
  const rows: readonly (readonly [string, Record<string, Json>])[] = [
    ['rewrite', { volumeMounts: [{ name: 'mine', mountPath: '/istio-onramp-data' }] }],
    ['rewrite', { volumeMounts: [{ name: 'mine', mountPath: '/' }] }],
    ['rewrite', { volumeMounts: [{ name: volume, mountPath: '/istio-onramp/', readOnly: true }] }],
    ['leave', { volumeMounts: [{ name: 'mine', mountPath: '/istio-onramp' }] }],
    ['leave', { volumeMounts: [{ name: 'mine', mountPath: '/istio-onramp/', subPath: 'tools' }] }],
    ['leave', { volumeMounts: [{ name: 'mine', mountPath: '/istio-onramp/prober', subPath: 'prober' }] }],
    ['leave', { volumeMounts: [{ name: 'mine', mountPath: '/opt/..//istio-onramp/./etc' }] }],
    ['leave', { volumeDevices: [{ name: 'disk', devicePath: '/istio-onramp' }] }],
    ['leave', { volumeMounts: [{ name: volume, mountPath: '/elsewhere' }] }],
    ['leave', { volumeMounts: [{ name: volume, mountPath: '/istio-onramp', subPath: 'prober' }] }],
    ['leave', { volumeMounts: [{ name: volume, mountPath: '/istio-onramp', subPathExpr: '$(POD)' }] }],
  ]
  for (const [action, more] of rows) {
    const [decision] = decide(web({ livenessProbe: HTTP_PROBE }, more), strict).decisions
    t.equal(decision?.action, action, JSON.stringify(more))
    if (action === 'leave') t.equal(decision?.reason, 'prober-path-taken')
  }
  t.end()
})

t.test("a name that the prober's parts need is the user's where the user has it", (t) => {
  const name = 'istio-onramp-prober'
  const install = ['/prober', 'install', '/istio-onramp']
  const podIp = (fieldPath: string) => ({ name: 'ISTIO_ONRAMP_POD_IP', valueFrom: { fieldRef: { fieldPath } } })
  const rows: readonly (readonly [string, Record<string, Json>, Record<string, Json>])[] = [
    ['rewrite', { env: [podIp('status.podIP')] }, {}],
    ['leave', { env: [podIp('status.hostIP')] }, {}],
    ['leave', { env: [{ name: 'ISTIO_ONRAMP_POD_IP', value: '10.0.0.1' }] }, {}],
    ['rewrite', {}, { volumes: [{ name, image: { reference: 'an/older:1' } }] }],
    ['rewrite', {}, { volumes: [{ name, emptyDir: {} }] }],
    ['leave', {}, { volumes: [{ name, configMap: { name: 'mine' } }] }],
    ['rewrite', {}, { volumes: [{ name, emptyDir: {} }], initContainers: [{ name, image: 'a', command: install }] }],
    ['leave', {}, { initContainers: [{ name, image: 'a', command: ['sh'] }] }],
    ['leave', {}, { initContainers: [{ name, image: 'a' }] }],
    ['leave', {}, { initContainers: [{ name, image: 'a', command: install, lifecycle: {} }] }],
  ]
  for (const [action, members, spec] of rows) {
    const object = pod([container('web', { livenessProbe: HTTP_PROBE, ...members })], { spec })
    const [decision] = decide(object, strict).decisions
    t.equal(decision?.action, action, JSON.stringify([members, spec]))
    if (action === 'leave') t.equal(decision?.reason, 'prober-name-taken')
  }
  const [ours] = decide(pod([container(name, { livenessProbe: HTTP_PROBE })]), strict).decisions
  t.match(ours, { action: 'leave', reason: 'prober-name-taken' }, 'a container')
  t.end()
})

t.test('an installer to which the user added a probe or hook is not removed with the other parts', (t) => {
  const rewritten = patched(web({ livenessProbe: HTTP_PROBE }), decide(web({ livenessProbe: HTTP_PROBE }), strict))
  const copy = structuredClone(rewritten)
  Object.assign(at(copy, 'spec', 'containers', 0) as JsonObject, { livenessProbe: { exec: { command: ['true'] } } })
  const paths = (object: JsonObject) => decide(object, strict).operations.map(({ path }) => path)
  t.ok(
    paths(copy).some((path) => path.startsWith('/spec/initContainers')),
    'ours is removed',
  )
  Object.assign(at(copy, 'spec', 'initContainers', 0) as JsonObject, { lifecycle: { preStop: { exec: {} } } })
  t.notOk(
    paths(copy).some((path) => /initContainers|volumes/.test(path)),
    'it and the volume that it mounts stay',
  )
  t.end()
})

t.test('a template that already has the prober keeps the way it came, whatever has changed since', (t) => {
  const rewrittenBy = (delivery: 'image-volume' | 'init-container', object: JsonObject): JsonObject => {
    const prober = { ...strict.configuration.prober, delivery }
    return patched(object, decide(object, contextOf(strictShop(), { prober })))
  }
  const withStartup = (object: JsonObject): JsonObject => {
    const copy = structuredClone(object)
    Object.assign(at(copy, 'spec', 'containers', 0) as JsonObject, { startupProbe: HTTP_PROBE })
    return copy
  }
  const first = web({ livenessProbe: HTTP_PROBE })
  for (const [before, after] of [
    ['image-volume', 'init-container'],
    ['init-container', 'image-volume'],
  ] as const) {
    const once = rewrittenBy(before, first)
    const again = rewrittenBy(after, withStartup(once))
    t.match(at(again, 'spec', 'containers', 0, 'startupProbe'), { exec: {} }, 'one more check is rewritten')
    for (const list of ['volumes', 'initContainers'])
      t.same(at(again, 'spec', list), at(once, 'spec', list), `${before}, then ${after}: the same ${list}`)
    for (const list of ['volumeMounts', 'env'])
      t.same(at(again, 'spec', 'containers', 0, list), at(once, 'spec', 'containers', 0, list), list)
  }
  t.end()
})

t.test('the init container is admitted by whatever admitted the pod', (t) => {
  const install = (containerMembers: Record<string, Json>, spec: Record<string, Json>): Json | undefined => {
    const object = pod([container('web', { livenessProbe: HTTP_PROBE, ...containerMembers })], { spec })
    return at(patched(object, decide(object, strict)), 'spec', 'initContainers', 0)
  }
  const guaranteed = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }
  t.same(at(install({ resources: guaranteed }, {}) as JsonObject, 'resources'), guaranteed, 'the QoS class stays')
  t.equal(at(install({}, {}) as JsonObject, 'resources'), undefined, 'no requests, as the container that has none')
  for (const [amount, expected] of [
    ['4Mi', '16Mi'],
    ['8e6', '16Mi'],
    [1_000_000, '16Mi'],
    ['16383Ki', '16Mi'],
    ['16Mi', '16Mi'],
    ['0.5Gi', '0.5Gi'],
    ['17M', '17M'],
    ['nonsense', 'nonsense'],
  ] as const) {
    const limits = { cpu: '1m', memory: amount, 'ephemeral-storage': amount }
    const raised = { cpu: '1m', memory: expected, 'ephemeral-storage': expected }
    t.same(at(install({ resources: { limits } }, {}) as JsonObject, 'resources', 'limits'), raised, 'room for the copy')
  }
  for (const [user, expected] of [
    [0, 65532],
    [1337, undefined],
    [1000, undefined],
  ] as const) {
    const found = install({}, { securityContext: { runAsUser: user } }) as JsonObject
    t.equal(at(found, 'securityContext', 'runAsUser'), expected, `a pod that runs as ${user}`)
    t.match(at(found, 'securityContext'), { runAsNonRoot: true, readOnlyRootFilesystem: true })
  }
  t.end()
})

t.test('the command of a hook is not expanded by kubelet, so its dollars stay single', (t) => {
  const handler = {
    kind: 'httpGet',
    scheme: 'HTTPS',
    host: 'h',
    port: 1,
    path: '/$(X)',
    headers: [],
    http2: false,
  } as const
  t.same(proberCommand({ handler, port: 1, timeoutSeconds: 9, isHook: true }), [
    '/istio-onramp/prober',
    'https',
    '--port=1',
    '--host=h',
    '--path=/$(X)',
    '--hook',
  ])
  t.same(proberCommand({ handler, port: 1, timeoutSeconds: 9, isHook: false }).slice(4), [
    '--path=/$$(X)',
    '--timeout=9s',
  ])
  t.end()
})

t.test('templates', (t) => {
  const checks = [container('web', { livenessProbe: HTTP_PROBE })]
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']
  const argo = { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }
  const rewrite = { annotations: { 'istio-onramp.io/templates': 'rewrite' } }
  for (const kind of kinds) {
    const left = decide(workload(kind, checks), strict)
    t.same(left.operations, [], `${kind}: auto leaves an exec to the pods`)
    t.match(left.decisions[0], { action: 'leave', strategy: 'exec', reason: 'at-pod-creation' }, kind)
    t.match(
      left.warnings,
      [
        new RegExp(
          `^${kind} shop/web: 1 probe will be rewritten when its pods are created; the template is stored unchanged: web livenessProbe \\(exec\\)`,
        ),
      ],
      kind,
    )
    t.not(decide(workload(kind, checks, { metadata: rewrite }), strict).operations.length, 0, `${kind}: rewrite`)
  }
  t.match(decide(workload('Deployment', checks, { metadata: argo }), strict).decisions[0], { reason: 'argo-cd' })
  t.match(
    decide(workload('Deployment', checks, { metadata: { labels: { 'argocd.argoproj.io/instance': 'x' } } }), strict)
      .decisions[0],
    { reason: 'argo-cd' },
  )
  t.match(
    decide(
      workload('Deployment', checks, { metadata: { annotations: { 'istio-onramp.io/templates': 'leave' } } }),
      strict,
    ).decisions[0],
    { reason: 'template-left' },
  )
  const owned = { ...rewrite, ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }] }
  t.match(decide(workload('ReplicaSet', checks, { metadata: owned }), strict), {
    operations: [],
    decisions: [{ action: 'leave', reason: 'controller-owned' }],
    warnings: [],
  })
  const same = workload('Deployment', checks, { metadata: rewrite })
  t.match(decide(same, strict, same), { operations: [], decisions: [{ reason: 'template-unchanged' }], warnings: [] })
  const open = peerAuthentication('shop', 'web', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 8081: { mode: 'PERMISSIVE' } },
  })
  const byPort = workload('Deployment', checks, {
    template: { metadata: { labels: { app: 'web' }, annotations: { 'istio-onramp.io/probe-port': '8081' } } },
  })
  t.match(
    decide(byPort, contextOf(strictShop({}, open))).decisions[0],
    { action: 'rewrite', strategy: 'port' },
    'auto rewrites what merges cleanly',
  )
  const update = pod([container('web', { livenessProbe: HTTP_PROBE })])
  t.same(decide(update, strict, update).operations, [], 'a Pod is rewritten on CREATE only')
  const mirror = pod([container('web', { livenessProbe: HTTP_PROBE })], {
    metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
  })
  t.same(decide(mirror, strict).operations, [], 'the API server refuses changes to mirror pods')
  t.match(decide(mirror, strict), { decisions: [{ action: 'leave', reason: 'mirror-pod' }], warnings: [] })
  t.match(decide(update, strict, update), { decisions: [{ action: 'leave', reason: 'running-pod' }], warnings: [] })
  t.end()
})

t.test('what kubectl apply and helm upgrade make of a rewritten template is resolved', (t) => {
  const rewrite = { annotations: { 'istio-onramp.io/templates': 'rewrite' } }
  const manifest = (check: JsonObject) =>
    workload('Deployment', [container('web', { livenessProbe: check })], { metadata: rewrite })
  const stored = patched(manifest(HTTP_PROBE), decide(manifest(HTTP_PROBE), strict))
  const merged = (check: JsonObject, metadata: JsonObject = rewrite): JsonObject => {
    const copy = structuredClone(stored) as Record<string, Json>
    const probe = at(copy, 'spec', 'template', 'spec', 'containers', 0, 'livenessProbe') as Record<string, Json>
    Object.assign(probe, check)
    return { ...copy, metadata: { name: 'web', namespace: 'shop', ...metadata } }
  }
  const probeAfter = (object: JsonObject, context = strict) =>
    at(patched(object, decide(object, context, stored)), 'spec', 'template', 'spec', 'containers', 0, 'livenessProbe')
  t.same(
    probeAfter(merged(HTTP_PROBE)),
    at(stored, 'spec', 'template', 'spec', 'containers', 0, 'livenessProbe'),
    'the same manifest: as it was',
  )
  t.same(
    patched(merged(HTTP_PROBE), decide(merged(HTTP_PROBE), strict, stored))['spec'],
    stored['spec'],
    'so nothing rolls out',
  )
  t.match(probeAfter(merged({ httpGet: { path: '/other', port: 8080 } })), {
    exec: { command: ['/istio-onramp/prober', 'http', '--port=8080', '--path=/other', '--timeout=1s'] },
  })
  t.match(probeAfter(merged({ tcpSocket: { port: 81 } })), {
    exec: { command: ['/istio-onramp/prober', 'tcp', '--port=81', '--timeout=1s'] },
  })
  t.notHas(probeAfter(merged({ tcpSocket: { port: 81 } })) as object, { tcpSocket: {} })
  for (const [title, context, metadata] of [
    ['off', contextOf(strictShop({ 'istio-onramp.io/probes': 'off' })), rewrite],
    ['no longer STRICT', contextOf(clusterOf(namespaceObject('shop', { 'istio-injection': 'enabled' }))), rewrite],
    ['templates back to auto', strict, {}],
    ['templates: leave', strict, { annotations: { 'istio-onramp.io/templates': 'leave' } }],
  ] as const) {
    const object = merged(HTTP_PROBE, metadata)
    const after = patched(object, decide(object, context, stored))
    t.same(
      at(after, 'spec', 'template', 'spec'),
      at(manifest(HTTP_PROBE), 'spec', 'template', 'spec'),
      `${title}: the rewrite goes, with all it brought`,
    )
    t.notOk(
      at(after, 'spec', 'template', 'metadata', 'annotations', 'istio-onramp.io/rewritten'),
      `${title}: and its receipt`,
    )
  }
  const own = merged({ exec: { command: ['mine'] } })
  t.match(decide(own, strict, stored).decisions[0], { reason: 'local-handler' }, "the user's own exec wins")
  const removed = structuredClone(stored) as Record<string, Json>
  delete (at(removed, 'spec', 'template', 'spec', 'containers', 0) as Record<string, Json>)['livenessProbe']
  for (const [title, object, left] of [
    ['own exec', own, workload('Deployment', [container('web', { livenessProbe: { exec: { command: ['mine'] } } })])],
    ['no probe', removed, workload('Deployment', [container('web', {})])],
  ] as const) {
    const after = patched(object, decide(object, strict, stored))
    t.same(
      at(after, 'spec', 'template', 'spec'),
      at(left, 'spec', 'template', 'spec'),
      `${title}: nothing of the rewrite stays`,
    )
    t.same(at(after, 'spec', 'template', 'metadata', 'annotations'), {}, `${title}: no receipt either`)
    t.same(decide(after, strict, object).operations, [], `${title}: once and for all`)
  }
  t.end()
})

t.test('restore is the way back from every strategy', (t) => {
  const open = peerAuthentication('shop', 'web', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 8081: { mode: 'PERMISSIVE' } },
  })
  const checks = {
    livenessProbe: { ...HTTP_PROBE, periodSeconds: 3 },
    startupProbe: { tcpSocket: { port: 1 } },
    lifecycle: { preStop: { httpGet: { port: 'http' } } },
    ports: [{ name: 'http', containerPort: 8080 }],
  }
  const annotations = (entries: JsonObject) => ({ metadata: { labels: { app: 'web' }, annotations: entries } })
  const objects: readonly JsonObject[] = [
    web(checks),
    web(checks, { env: [{ name: 'A', value: 'b' }], volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    pod([container('web', checks)], annotations({ 'istio-onramp.io/probe-port': '8081' })),
    pod([container('web', checks)], annotations({ 'istio-onramp.io/probes': 'agent' })),
    pod(
      [container('web', checks)],
      annotations({ 'istio-onramp.io/probes': 'agent', 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' }),
    ),
    pod([container('web', checks)], {
      spec: { volumes: [{ name: 'v', emptyDir: {} }], initContainers: [container('i', {})] },
    }),
  ]
  for (const [index, object] of objects.entries()) {
    const result = decide(object, contextOf(strictShop({}, open)))
    t.not(result.operations.length, 0, `object ${index} is rewritten`)
    const after = patched(object, result)
    const template = readPodTemplate('Pod', after)
    if ('problem' in template) throw new Error(template.problem)
    t.same(patched(after, { ...result, operations: restoreProbes(template) }), object, `object ${index} is as it was`)
  }
  t.end()
})

t.test('what cannot be read is left alone and named', (t) => {
  const texts: readonly (readonly [JsonObject, RegExp])[] = [
    [
      pod([{ image: 'x', livenessProbe: HTTP_PROBE }, container('web', { livenessProbe: HTTP_PROBE })]),
      /spec\.containers\[0\]\.name a container name is required/,
    ],
    [
      web({ livenessProbe: { httpGet: { port: true } } }),
      /spec\.containers\[0\]\.livenessProbe\.httpGet\.port must be a port number or a port name, not boolean/,
    ],
    [
      web({ livenessProbe: { httpGet: { port: 1, scheme: 'ftp' } } }),
      /httpGet\.scheme is "ftp"; allowed are HTTP and HTTPS/,
    ],
    [web({ livenessProbe: { grpc: { port: 'x' } } }), /grpc\.port is "x"; a number is required/],
    [
      web({ livenessProbe: { ...HTTP_PROBE, exec: { command: ['x'] } } }),
      /livenessProbe has exec and httpGet; only one handler is allowed/,
    ],
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'shop' } }, /spec must be an object, not null/],
    [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x', namespace: 'shop' }, spec: {} },
      /spec\.template a pod template is required/,
    ],
  ]
  for (const [object, text] of texts) {
    const result = decide(object, strict)
    t.same(result.operations, [], String(text))
    t.match(result.warnings.join('\n'), text)
  }
  t.end()
})
