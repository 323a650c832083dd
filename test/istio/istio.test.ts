// The facts of test/cases over our code: every case, none skipped.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { agentPath, isRewrittenKind } from '../../src/istio/agent-probe.ts'
import { isAmbient } from '../../src/istio/ambient.ts'
import type { DeclaredMode } from '../../src/istio/declared-policy.ts'
import { ambientModes, modeOfPort, workloadModes } from '../../src/istio/peer-authentication.ts'
import { isSelected } from '../../src/istio/injection-webhook.ts'
import { rememberSidecars } from '../../src/istio/known-sidecars.ts'
import type { Mesh } from '../../src/istio/mesh.ts'
import { decideSidecar } from '../../src/istio/sidecar.ts'
import { readPodTemplate, type PodTemplate } from '../../src/kubernetes/pod-template.ts'
import { readHandler, handlerKinds } from '../../src/kubernetes/handler.ts'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { isProblem } from '../../src/kubernetes/problem.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { readPeerAuthentication } from '../../src/istio/read-peer-authentication.ts'
import { DEFAULT_INSTALL, istioInstall, namespaceObject } from '../support/fixtures.ts'
import { acceptsConnection, type InboundClient } from './support/inbound-connection.ts'
import { indexPolicies } from './support/index-policies.ts'
import { rewrittenByIstio } from './support/rewritten-by-istio.ts'

interface PeerAuthCase {
  readonly id: string
  readonly dataplane: 'sidecar' | 'ambient' | 'both'
  readonly meshRootNamespace: string
  readonly controlPlaneRevision?: string
  readonly policies: readonly {
    readonly namespace: string
    readonly name: string
    readonly ageOrder: number
    readonly selector: Record<string, string> | null
    readonly mode: DeclaredMode | null
    readonly portLevel: Record<string, DeclaredMode | null>
    readonly revision?: string
  }[]
  readonly workload: {
    readonly namespace: string
    readonly labels: Record<string, string>
    readonly servicePorts?: readonly { readonly port: number; readonly protocol: string }[]
  }
  readonly expect: { readonly mode: string; readonly perPort: Record<string, string> }
  readonly calls?: readonly { readonly port: number; readonly client: string; readonly accepted: boolean }[]
  readonly askPort?: number
  readonly askPortMode?: string
}

function load(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), 'utf8')) as Record<string, unknown>
}

t.test('the effective mode of every PeerAuthentication case', (t) => {
  const cases = load('peer-auth')['cases'] as readonly PeerAuthCase[]
  t.equal(cases.length, 78)
  for (const item of cases) checkPeerAuth(t, item)
  t.end()
})

function checkPeerAuth(t: Test, item: PeerAuthCase): void {
  const index = indexPolicies(
    item.policies.map((policy) => ({
      namespace: policy.namespace,
      name: policy.name,
      createdAt: policy.ageOrder * 1000,
      revision: policy.revision,
      matchLabels: new Map(Object.entries(policy.selector ?? {})),
      mode: policy.mode ?? 'UNSET',
      portLevel: new Map(Object.entries(policy.portLevel).map(([port, mode]) => [Number(port), mode ?? 'UNSET'])),
    })),
  )
  const workload = {
    namespace: item.workload.namespace,
    labels: new Map(Object.entries(item.workload.labels)),
    revision: item.controlPlaneRevision ?? 'default',
    rootNamespace: item.meshRootNamespace,
  }
  const modes = item.dataplane === 'ambient' ? ambientModes(index, workload) : workloadModes(index, workload)
  const got = {
    mode: modes.workload.mode,
    perPort: Object.fromEntries([...modes.ports].map(([port, { mode }]) => [port, mode])),
  }
  t.same(got, item.expect, item.id)
  if (item.dataplane === 'both') checkAmbientToo(t, item, ambientModes(index, workload))
  if (item.askPort !== undefined)
    t.equal(modeOfPort(modes, item.askPort).mode, item.askPortMode, `${item.id} port ${item.askPort}`)
  for (const call of item.calls ?? []) {
    const protocol = item.workload.servicePorts?.find(({ port }) => port === call.port)?.protocol
    const client = call.client === 'mtls' ? 'mutual-tls' : call.client === 'plaintext' ? 'plaintext' : 'tls'
    const accepted = acceptsConnection(
      modeOfPort(modes, call.port).mode,
      protocol === 'HTTP',
      client satisfies InboundClient,
    )
    t.equal(accepted, call.accepted, `${item.id} ${call.client} on ${call.port}`)
  }
}

/** In the cases for both data planes, ambient's "not STRICT" is written PERMISSIVE. */
function checkAmbientToo(t: Test, item: PeerAuthCase, modes: ReturnType<typeof ambientModes>): void {
  const strict = (mode: string) => (mode === 'STRICT' ? 'STRICT' : 'PERMISSIVE')
  t.equal(modes.workload.mode, strict(item.expect.mode), `${item.id} in ambient`)
  for (const [port, mode] of Object.entries(item.expect.perPort))
    t.equal(modeOfPort(modes, Number(port)).mode, strict(mode), `${item.id} in ambient, port ${port}`)
}

t.test('what the API server accepts as a PeerAuthentication is read', (t) => {
  const facts = load('peer-auth')['validationFacts'] as readonly { id: string; spec: JsonObject; valid: boolean }[]
  t.equal(facts.length, 4)
  for (const { id, spec, valid } of facts) {
    const read = readPeerAuthentication({ metadata: { name: 'p', namespace: 'n' }, spec })
    if (isProblem(read)) t.fail(`${id}: ${read.field}: ${read.problem}`)
    else if (!valid) t.equal(read.portLevel.size, 0, `${id}: without a port, as the API server would have refused it`)
    else t.equal(read.portLevel.size, Object.keys(memberAt(spec, 'portLevelMtls') ?? {}).length, id)
  }
  t.end()
})

interface InjectionCase {
  readonly id: string
  readonly kind: 'injectRequired' | 'webhookSelector' | 'combined' | 'ambient'
  readonly install: Parameters<typeof istioInstall>[0]
  readonly injectorConfig: JsonObject
  readonly namespace: { readonly name: string; readonly labels: Record<string, string> }
  readonly pod: {
    readonly labels: Record<string, string>
    readonly annotations: Record<string, string>
    readonly hostNetwork: boolean
  }
  readonly expect: {
    readonly injected?: boolean
    readonly webhookService?: string | null
    readonly inboundCaptured?: boolean
    readonly rewriteProbes?: boolean
    readonly ambient?: boolean
  }
}

t.test('every injection case, with the webhooks of the install as the chart renders them', (t) => {
  const cases = load('injection')['cases'] as readonly InjectionCase[]
  t.equal(cases.length, 81)
  for (const item of cases) checkInjection(t, item)
  t.end()
})

function checkInjection(t: Test, { id, install, injectorConfig, namespace, pod, expect }: InjectionCase): void {
  const { state } = buildClusterState([
    ...istioInstall(install, injectorConfig),
    namespaceObject(namespace.name, namespace.labels),
  ])
  const template = readPodTemplate('Pod', {
    metadata: { labels: pod.labels, annotations: pod.annotations },
    spec: { hostNetwork: pod.hostNetwork, containers: [{ name: 'c' }] },
  }) as PodTemplate
  const sidecar = decideSidecar({ namespace: namespace.name, template, workloadName: '' }, state)
  if (expect.injected !== undefined)
    t.equal(sidecar.state === 'present', expect.injected, `${id} injected: ${sidecar.evidence}`)
  if (expect.webhookService !== undefined)
    t.equal(calledService(state, namespace.name, template), expect.webhookService, `${id} webhook`)
  if (expect.inboundCaptured !== undefined && sidecar.state === 'present')
    t.equal(sidecar.capture.kind !== 'nothing', expect.inboundCaptured, `${id} captured`)
  if (expect.rewriteProbes !== undefined && sidecar.state === 'present')
    t.equal(sidecar.rewriting.state === 'on', expect.rewriteProbes, `${id} rewrites`)
  if (expect.ambient !== undefined) {
    const hasSidecar = sidecar.state === 'present' || template.annotations.has('sidecar.istio.io/status')
    const identity = { ...pod, namespace: namespace.name, labels: template.labels, annotations: template.annotations }
    t.equal(isAmbient(identity, state.namespace(namespace.name).labels, hasSidecar), expect.ambient, `${id} ambient`)
  }
}

function calledService(
  state: ReturnType<typeof buildClusterState>['state'],
  namespace: string,
  { labels }: PodTemplate,
): string | null {
  const called = state.webhooks.find((webhook) => isSelected(webhook, state.namespace(namespace).labels, labels))
  if (called === undefined) return null
  return called.revision === 'default' ? 'istiod' : `istiod-${called.revision}`
}

interface ProbeCase {
  readonly id: string
  readonly settings: {
    readonly rewriteAppHTTPProbe: boolean
    readonly meshStatusPort: number
    readonly template: string
    readonly istioProxyPresent: boolean
  }
  readonly templateSetsAnnotations?: Record<string, string>
  readonly podAnnotations: Record<string, string>
  readonly container: {
    readonly name: string
    readonly init: boolean
    readonly ports: readonly JsonObject[]
    readonly restartPolicy?: string
  }
  readonly slot: 'readinessProbe' | 'livenessProbe' | 'startupProbe' | 'preStop' | 'postStart'
  readonly in: JsonObject
  readonly expect: { readonly rewritten: boolean; readonly out: JsonObject; readonly appProberKey: string | null }
}

t.test('every probe case: whether Istio rewrites it, and to what', (t) => {
  const cases = load('probe')['cases'] as readonly ProbeCase[]
  t.equal(cases.length, 56)
  for (const item of cases) checkProbe(t, item)
  t.end()
})

function checkProbe(t: Test, item: ProbeCase): void {
  const { container, slot } = item
  const { init, ...raw } = container
  const isHook = slot === 'preStop' || slot === 'postStart'
  const checked = { ...raw, ...(isHook ? { lifecycle: { [slot]: item.in } } : { [slot]: item.in }) }
  const template = readPodTemplate('Pod', {
    metadata: { annotations: item.podAnnotations },
    spec: { [init ? 'initContainers' : 'containers']: [checked] },
  }) as PodTemplate
  const { state } = buildClusterState([
    ...istioInstall(DEFAULT_INSTALL, {}, injectorValues(item)),
    namespaceObject('app', { 'istio-injection': 'enabled' }),
  ])
  const sidecar = decideSidecar({ namespace: 'app', template, workloadName: '' }, state)
  const [read] = template.containers
  const check = read?.checks.find((entry) => entry.slot === slot)
  if (read === undefined || check === undefined || 'problem' in check.handler)
    return t.fail(`${item.id}: not read`) as never
  const isOn = sidecar.state === 'present' && sidecar.rewriting.state === 'on'
  const rewritten = isOn && isRewrittenKind(check.handler, read, slot, undefined)
  t.equal(rewritten, item.expect.rewritten, `${item.id} rewritten: ${sidecar.evidence}`)
  const statusPort = isOn && sidecar.rewriting.state === 'on' ? sidecar.rewriting.statusPort : 0
  const after = rewritten ? rewrittenByIstio(check.handler, read.name, slot, statusPort) : check.handler
  const [kind] = handlerKinds(item.expect.out)
  t.same(after, kind && readHandler(kind, item.expect.out[kind]), `${item.id} becomes`)
  if (item.expect.appProberKey !== null)
    t.equal(agentPath(read.name, slot), item.expect.appProberKey, `${item.id} path`)
}

/** A template of the case's own is written as text, the way the ConfigMap has it. */
function injectorValues({ settings, templateSetsAnnotations }: ProbeCase) {
  const proxy = settings.istioProxyPresent
    ? 'spec: {containers: [{name: istio-proxy}], initContainers: [{name: istio-init}]}\n'
    : 'spec: {}\n'
  const annotation = templateSetsAnnotations?.['sidecar.istio.io/rewriteAppHTTPProbers']
  const custom = `${proxy}metadata: {annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "${annotation ?? ''}"}}`
  return {
    rewriteAppHTTPProbe: settings.rewriteAppHTTPProbe,
    statusPort: settings.meshStatusPort,
    templates: { sidecar: '', 'grpc-agent': '', 'grpc-simple': '', gateway: '', custom },
    defaultTemplates: [settings.template],
  }
}

t.test('a known workload is not simulated again while nothing that the simulation reads has changed', (t) => {
  const template = (pod: JsonObject) => readPodTemplate('Pod', pod) as PodTemplate
  const plain = template({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web' }] } })
  const enabled = { 'istio-injection': 'enabled' }
  const objects = [
    ...istioInstall(DEFAULT_INSTALL, {}),
    namespaceObject('app', enabled),
    namespaceObject('shop', enabled),
  ]
  const { state } = buildClusterState(objects)
  let simulations = 0
  const decide = rememberSidecars((subject, mesh) => {
    simulations += 1
    return decideSidecar(subject, mesh)
  })
  const isSimulated = (pod: PodTemplate, namespace = 'app', workloadName = 'web', mesh: Mesh = state): boolean => {
    const before = simulations
    decide({ namespace, template: pod, workloadName }, mesh)
    return simulations > before
  }
  t.equal(isSimulated(plain), true)
  t.equal(isSimulated(plain), false, 'another pod of the workload')
  const others: readonly (readonly [string, PodTemplate])[] = [
    ['another label', template({ metadata: { labels: { app: 'api' } }, spec: plain.spec })],
    ['the same texts, divided otherwise', template({ metadata: { labels: { ap: 'pweb' } }, spec: plain.spec })],
    ['a label that is an annotation', template({ metadata: { annotations: { app: 'web' } }, spec: plain.spec })],
    [
      'the network of the node',
      template({ metadata: plain.raw['metadata'] ?? {}, spec: { ...plain.spec, hostNetwork: true } }),
    ],
    [
      'no token of a service account',
      template({ metadata: plain.raw['metadata'] ?? {}, spec: { ...plain.spec, automountServiceAccountToken: false } }),
    ],
  ]
  for (const [what, pod] of others) t.equal(isSimulated(pod), true, what)
  t.equal(isSimulated(plain, 'shop'), true, 'another namespace')
  t.equal(isSimulated(plain, 'app', 'api'), true, 'another name of the workload')
  const proxied = template({ spec: { containers: [{ name: 'istio-proxy' }] } })
  t.same([isSimulated(proxied), isSimulated(proxied)], [true, true], 'a container of Istio is read each time')
  const long = template({ metadata: { annotations: { text: 'x'.repeat(5000) } }, spec: plain.spec })
  t.same([isSimulated(long), isSimulated(long)], [true, true], 'a long annotation is not kept')
  t.equal(isSimulated(plain), false)
  const same: Mesh = { ...state }
  t.equal(isSimulated(plain, 'app', 'web', same), false, 'the same namespace, webhooks and control planes')
  const namespace: Mesh = { ...same, namespace: (name) => ({ ...state.namespace(name) }) }
  t.equal(isSimulated(plain, 'app', 'web', namespace), true, 'the namespace has changed')
  isSimulated(plain)
  const planes: Mesh = { ...same, controlPlane: (revision) => ({ ...state.controlPlane(revision) }) }
  t.equal(isSimulated(plain, 'app', 'web', planes), true, 'a control plane has changed')
  isSimulated(plain)
  const webhooks: Mesh = { ...same, webhooks: [...state.webhooks] }
  t.equal(isSimulated(plain, 'app', 'web', webhooks), true, 'the webhooks have changed')
  const changed = buildClusterState([...objects.slice(0, -2), namespaceObject('app', {})]).state
  t.equal(isSimulated(plain, 'app', 'web', changed), true, 'another state of the cluster')
  t.equal(decide({ namespace: 'app', template: plain, workloadName: 'web' }, changed).state, 'absent')
  for (let index = 0; index < 600; index++) isSimulated(plain, 'app', `w${index}`, changed)
  t.equal(isSimulated(plain, 'app', 'web', changed), true, 'only recent ones are kept')
  t.end()
})

t.test('revisions that pods make up are not all remembered', (t) => {
  const { state } = buildClusterState([namespaceObject('app', {})])
  t.equal(state.controlPlane('canary'), state.controlPlane('canary'))
  for (let index = 0; index < 200; index++) state.controlPlane(`made-up-${index}`)
  t.not(state.controlPlane('late'), state.controlPlane('late'))
  t.not(state.controlPlane('x'.repeat(100)), state.controlPlane('x'.repeat(100)), 'a name that no label can have')
  t.same(state.controlPlane('late'), { ...state.controlPlane('canary'), revision: 'late' })
  t.end()
})
