// What the chart renders, in each of its modes. Needs helm: hack/chart/test brings it.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { DEFAULT_CONFIGURATION, parseConfiguration } from '../../src/config.ts'
import { arrayMember, member, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { CHART, CI_VALUES, NAME, NAMESPACE, nameOf, ofKind, only, render } from '../support/api-server/helm.ts'
import { SERVING } from '../support/api-server/objects.ts'

const PEM = SERVING.ca
const ALWAYS = ['cert-manager', 'gatekeeper-system', 'kube-node-lease', 'kube-public', 'kube-system', 'kyverno']
const OWN_EXCLUDED = [...ALWAYS, 'istio-system', NAMESPACE].sort()
const existingSecret = (changes: JsonObject = {}): JsonObject => ({
  certificates: { mode: 'existingSecret', existingSecret: { name: 'tls', caBundle: PEM, ...changes } },
})

function entriesOf(objects: readonly JsonObject[], side: 'Mutating' | 'Validating'): readonly JsonObject[] {
  return ofKind(objects, `${side}WebhookConfiguration`).flatMap((object) => arrayMember(object, 'webhooks') as never)
}

function entry(objects: readonly JsonObject[], side: 'Mutating' | 'Validating', name: string): JsonObject {
  const found = entriesOf(objects, side).find((candidate) => candidate['name'] === name)
  if (found === undefined) throw new Error(`no ${side} entry ${name}`)
  return found
}

function conditionNames(webhook: JsonObject): readonly Json[] {
  return arrayMember(webhook, 'matchConditions').map((condition) => member(condition, 'name') ?? null)
}

function podOf(objects: readonly JsonObject[]): JsonObject {
  return memberAt(only(objects, 'Deployment'), 'spec', 'template', 'spec') as JsonObject
}

function containerOf(objects: readonly JsonObject[]): JsonObject {
  return arrayMember(podOf(objects), 'containers')[0] as JsonObject
}

function configOf(objects: readonly JsonObject[]): string {
  return String(memberAt(only(objects, 'ConfigMap'), 'data', 'config.yaml'))
}

t.test('each values file renders objects with a name, once each, in the namespace of the release', async (t) => {
  t.ok(CI_VALUES.length >= 5)
  for (const file of CI_VALUES) {
    const objects = render({ files: [file] })
    const identities = objects.map((object) =>
      [object['kind'], memberAt(object, 'metadata', 'namespace') ?? '', nameOf(object)].join(' '),
    )
    t.equal(new Set(identities).size, objects.length, basename(file))
    for (const object of objects) {
      const isRole = ['Role', 'RoleBinding'].includes(String(object['kind']))
      const namespace = memberAt(object, 'metadata', 'namespace')
      if (namespace !== undefined && !isRole) t.equal(namespace, NAMESPACE, nameOf(object))
      t.equal(memberAt(object, 'metadata', 'labels', 'app.kubernetes.io/instance'), 'onramp', nameOf(object))
    }
  }
})

t.test('every webhook entry is complete, whatever the values', async (t) => {
  for (const file of CI_VALUES) {
    const objects = render({ files: [file] })
    for (const side of ['Mutating', 'Validating'] as const) {
      for (const webhook of entriesOf(objects, side)) {
        const title = `${basename(file)}: ${side} ${String(webhook['name'])}`
        const [configuration] = ofKind(objects, `${side}WebhookConfiguration`)
        const injected = memberAt(configuration, 'metadata', 'annotations', 'cert-manager.io/inject-ca-from')
        const bundle = memberAt(webhook, 'clientConfig', 'caBundle')
        const isSelfManaged = containerOf(objects)['args']?.toString().includes('--tls-self-managed') === true
        const sources = [injected !== undefined, bundle !== undefined, isSelfManaged]
        t.equal(sources.filter(Boolean).length, 1, `${title}: a bundle, or somebody who brings it`)
        t.match(webhook['name'], /^(probes|templates|ingress|strict-switch)\.istio-onramp\.io$/, title)
        t.same(webhook['admissionReviewVersions'], ['v1'], title)
        t.equal(webhook['sideEffects'], 'None', title)
        t.equal(webhook['matchPolicy'], 'Equivalent', title)
        t.equal(webhook['reinvocationPolicy'], side === 'Mutating' ? 'IfNeeded' : undefined, title)
        const timeout = Number(webhook['timeoutSeconds'])
        t.ok(timeout >= 1 && timeout <= 30, title)
        for (const rule of arrayMember(webhook, 'rules')) {
          t.equal(member(rule, 'scope'), 'Namespaced', title)
          const asked = [...arrayMember(rule, 'apiGroups'), ...arrayMember(rule, 'resources')]
          t.notOk(asked.includes('*'), `${title}: kinds by name`)
        }
      }
    }
  }
})

t.test('the default entries: kinds, operations, path, conditions, policy, time', async (t) => {
  const objects = render()
  const rows = (['Mutating', 'Validating'] as const).flatMap((side) =>
    entriesOf(objects, side).map((webhook) => ({
      name: `${side} ${String(webhook['name'])}`,
      rules: arrayMember(webhook, 'rules').map(
        (rule) => `${arrayMember(rule, 'operations').join('+')} ${arrayMember(rule, 'resources').join(' ')}`,
      ),
      path: memberAt(webhook, 'clientConfig', 'service', 'path'),
      conditions: conditionNames(webhook),
      policy: webhook['failurePolicy'],
      seconds: webhook['timeoutSeconds'],
    })),
  )
  const ingress = {
    rules: ['CREATE+UPDATE ingresses'],
    conditions: ['not-only-waiting-for-finalizers', 'not-an-acme-solver'],
    policy: 'Ignore',
  }
  t.same(rows, [
    {
      name: 'Mutating probes.istio-onramp.io',
      rules: ['CREATE pods'],
      path: '/mutate',
      conditions: ['not-host-network', 'not-a-mirror-pod', 'has-a-probe-or-hook'],
      policy: 'Ignore',
      seconds: 3,
    },
    {
      name: 'Mutating templates.istio-onramp.io',
      rules: [
        'CREATE+UPDATE deployments statefulsets daemonsets replicasets',
        'CREATE+UPDATE replicationcontrollers',
        'CREATE+UPDATE jobs cronjobs',
      ],
      path: '/mutate',
      conditions: ['no-controller-owns-it', 'template-changed'],
      policy: 'Ignore',
      seconds: 3,
    },
    { name: 'Mutating ingress.istio-onramp.io', path: '/mutate', seconds: 5, ...ingress },
    { name: 'Validating ingress.istio-onramp.io', path: '/validate', seconds: 5, ...ingress },
    {
      name: 'Validating strict-switch.istio-onramp.io',
      rules: ['CREATE+UPDATE peerauthentications'],
      path: '/validate',
      conditions: [],
      policy: 'Ignore',
      seconds: 5,
    },
  ])
})

t.test('the webhooks are called before those of Istio, by the order of the names', async (t) => {
  const name = nameOf(only(render(), 'MutatingWebhookConfiguration'))
  for (const other of ['istio-revision-tag-default', 'istio-sidecar-injector', 'istio-sidecar-injector-1-29'])
    t.ok(Buffer.compare(Buffer.from(name), Buffer.from(other)) < 0, `${name} < ${other}`)
})

t.test('failure policy and timeout are those of the function; the mutating Ingress entry stays Ignore', async (t) => {
  const webhooks = Object.fromEntries(
    ['pods', 'templates', 'ingress', 'strictSwitch'].map((name, index) => [
      name,
      { failurePolicy: 'Fail', timeoutSeconds: 11 + index },
    ]),
  )
  const objects = render({ values: { webhooks } })
  const rows = (['Mutating', 'Validating'] as const).flatMap((side) =>
    entriesOf(objects, side).map((one) => [side, one['name'], one['failurePolicy'], one['timeoutSeconds']].join(' ')),
  )
  t.same(rows, [
    'Mutating probes.istio-onramp.io Fail 11',
    'Mutating templates.istio-onramp.io Fail 12',
    'Mutating ingress.istio-onramp.io Ignore 13',
    'Validating ingress.istio-onramp.io Fail 13',
    'Validating strict-switch.istio-onramp.io Fail 14',
  ])
})

t.test('G12: conditions and selectors of the user come in addition to those of the chart', async (t) => {
  const matchConditions = [{ name: 'mine', expression: 'true' }]
  const namespaceSelector = {
    matchLabels: { tier: 'web' },
    matchExpressions: [{ key: 'old', operator: 'DoesNotExist' }],
  }
  const objectSelector = { matchLabels: { app: 'web' } }
  const webhooks = {
    namespaceSelector: { matchLabels: { mesh: 'yes' } },
    pods: { matchConditions, namespaceSelector, objectSelector },
    strictSwitch: { matchConditions },
  }
  const objects = render({ values: { webhooks } })
  const probes = entry(objects, 'Mutating', 'probes.istio-onramp.io')
  t.same(conditionNames(probes), ['not-host-network', 'not-a-mirror-pod', 'has-a-probe-or-hook', 'mine'])
  t.same(memberAt(probes, 'namespaceSelector', 'matchLabels'), { mesh: 'yes', tier: 'web' })
  t.same(
    arrayMember(memberAt(probes, 'namespaceSelector'), 'matchExpressions').map((one) => member(one, 'key') ?? null),
    ['kubernetes.io/metadata.name', 'old'],
  )
  t.same(probes['objectSelector'], objectSelector)
  t.same(entry(objects, 'Mutating', 'templates.istio-onramp.io')['objectSelector'], {}, 'of one function only')
  t.same(conditionNames(entry(objects, 'Validating', STRICT_SWITCH)), ['mine'])
  const old = render({ values: { webhooks }, kubernetes: '1.29.0' })
  t.same(conditionNames(entry(old, 'Validating', STRICT_SWITCH)), [], 'a cluster without match conditions')
})

t.test('G10: namespaces of other admission webhooks and of the platform are left alone', async (t) => {
  const { exemptNamespaces } = parseConfiguration(
    configOf(render({ values: { excludeNamespacePresets: ['gke', 'openshift'] } })),
    'config.yaml',
  ).rules
  for (const name of ['gatekeeper-system', 'kyverno', 'gmp-system', 'openshift-etcd'])
    t.ok(exemptNamespaces.includes(name), name)
  t.notOk(exemptNamespaces.includes('cattle-system'), 'a preset that was not asked for')
})

t.test('two releases with long names have different names, each a DNS label', async (t) => {
  const names = ['a', 'b'].map((end) => {
    const fullnameOverride = `${'a-very-long-name-of-a-release-'.repeat(2)}${end}`
    return nameOf(only(render({ values: { fullnameOverride } }), 'Deployment'))
  })
  t.equal(new Set(names).size, 2)
  for (const name of names) t.match(name, /^a-very-long-name-of-a-release-[a-z-]+-[0-9a-f]{8}$/)
  t.ok(names.every((name) => name.length <= 50))
})

t.test('labels of the user never change what the chart selects by, and each key is there once', async (t) => {
  const commonLabels = { team: 'platform', tier: 'common' }
  const objects = render({
    values: { commonLabels, podLabels: { tier: 'pod' }, service: { labels: { tier: 'service' } } },
  })
  const deployment = only(objects, 'Deployment')
  t.match(memberAt(deployment, 'metadata', 'labels'), commonLabels)
  t.match(memberAt(deployment, 'spec', 'template', 'metadata', 'labels'), { team: 'platform', tier: 'pod' })
  t.match(memberAt(only(objects, 'Service'), 'metadata', 'labels'), { team: 'platform', tier: 'service' })
  t.same(Object.keys(memberAt(deployment, 'spec', 'selector', 'matchLabels') as JsonObject), [
    'app.kubernetes.io/name',
    'app.kubernetes.io/instance',
  ])
})

t.test('Artifact Hub knows the images that the chart uses, and every list is YAML of its form', async (t) => {
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Json
  const annotation = (name: string) => String(memberAt(chart, 'annotations', `artifacthub.io/${name}`))
  const images = (parse(annotation('images')) as Json[]).map((entry) => member(entry, 'image'))
  const objects = render()
  const { image } = parseConfiguration(configOf(objects), 'config.yaml').rules.prober
  t.same(images, [containerOf(objects)['image'], image])
  for (const [list, key] of [
    ['links', 'url'],
    ['recommendations', 'url'],
    ['changes', 'description'],
  ] as const)
    for (const entry of parse(annotation(list)) as Json[]) t.type(member(entry, key), 'string', list)
})

t.test('imageRegistry is the registry of every image; a digest wins over a tag', async (t) => {
  const images = (values: JsonObject) => {
    const objects = render({ values })
    const { image } = parseConfiguration(configOf(objects), 'config.yaml').rules.prober
    return [containerOf(objects)['image'], image]
  }
  t.same(images({ imageRegistry: 'mirror.example:5000/proxy/' }), [
    'mirror.example:5000/proxy/istio-onramp/istio-onramp:0.1.0',
    'mirror.example:5000/proxy/istio-onramp/prober:0.1.0',
  ])
  t.same(
    images({ global: { imageRegistry: 'localhost:5000' }, image: { repository: 'team/onramp' } })[0],
    'localhost:5000/team/onramp:0.1.0',
  )
  const digest = `sha256:${'0'.repeat(64)}`
  t.same(images({ image: { digest, tag: '9' }, prober: { image: { digest, tag: '9' } } }), [
    `ghcr.io/istio-onramp/istio-onramp@${digest}`,
    `ghcr.io/istio-onramp/prober@${digest}`,
  ])
  t.equal(images({ config: { rules: { prober: { image: 'own.example/prober:1' } } } })[1], 'own.example/prober:1')
})

t.test('client certificates: the authority is mounted and given to the server', async (t) => {
  const objects = render({ values: { clientCertificates: { caConfigMap: { name: 'api-ca', key: 'bundle.pem' } } } })
  t.ok(arrayMember(containerOf(objects), 'args').includes('--client-ca=/etc/istio-onramp/client-ca/bundle.pem'))
  t.match(arrayMember(podOf(objects), 'volumes')[2], { name: 'client-ca', configMap: { name: 'api-ca' } })
})

t.test('an autoscaler writes the replicas, so the chart does not; its minimum counts for the budget', async (t) => {
  const objects = render({ values: { replicas: 1, autoscaling: { enabled: true } } })
  t.equal(memberAt(only(objects, 'Deployment'), 'spec', 'replicas'), undefined)
  t.equal(ofKind(objects, 'PodDisruptionBudget').length, 1)
  t.match(memberAt(only(objects, 'HorizontalPodAutoscaler'), 'spec'), {
    scaleTargetRef: { kind: 'Deployment', name: NAME },
    minReplicas: 2,
  })
})

t.test('the network policy lets reviews and metrics in, and out only DNS and the API server', async (t) => {
  const open = memberAt(only(render({ values: { networkPolicy: { enabled: true } } }), 'NetworkPolicy'), 'spec')
  t.match(open, {
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: [{ port: 10250 }] }, { ports: [{ port: 9090 }] }],
  })
  t.same(
    arrayMember(open, 'ingress').map((rule) => member(rule, 'from')),
    [undefined, undefined],
  )
  const networkPolicy = { enabled: true, apiServerCidrs: ['10.0.0.1/32'] }
  const closed = memberAt(only(render({ values: { networkPolicy } }), 'NetworkPolicy'), 'spec')
  const peers = [{ ipBlock: { cidr: '10.0.0.1/32' } }]
  t.same(member(arrayMember(closed, 'ingress')[0], 'from'), peers)
  t.same(member(arrayMember(closed, 'egress')[1], 'to'), peers)
})

t.test('monitors select the pods of this release and port metrics', async (t) => {
  for (const [kind, endpoints] of [
    ['ServiceMonitor', 'endpoints'],
    ['PodMonitor', 'podMetricsEndpoints'],
  ] as const) {
    const name = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`
    const objects = render({
      values: { [name]: { enabled: true, interval: '30s', labels: { release: 'prometheus' } } },
    })
    const monitor = only(objects, kind)
    t.match(memberAt(monitor, 'metadata', 'labels'), { release: 'prometheus' })
    t.same(
      memberAt(monitor, 'spec', 'selector', 'matchLabels'),
      memberAt(only(objects, 'Deployment'), 'spec', 'selector', 'matchLabels'),
    )
    t.match(memberAt(monitor, 'spec', endpoints), [{ port: 'metrics', interval: '30s' }])
  }
})

t.test(
  'a priority class of the chart is the pods’ unless another is named; a flow schema is for its account',
  async (t) => {
    const values = { priorityClass: { create: true }, flowSchema: { create: true } }
    const objects = render({ values })
    t.equal(podOf(objects)['priorityClassName'], nameOf(only(objects, 'PriorityClass')))
    t.equal(
      podOf(render({ values: { ...values, priorityClassName: 'system-cluster-critical' } }))['priorityClassName'],
      'system-cluster-critical',
    )
    const [rule] = arrayMember(memberAt(only(objects, 'FlowSchema'), 'spec'), 'rules')
    t.same(arrayMember(rule, 'subjects'), [
      { kind: 'ServiceAccount', serviceAccount: { name: NAME, namespace: NAMESPACE } },
    ])
    t.same(ofKind(render({ values, kubernetes: '1.28.5' }), 'FlowSchema'), [], 'not before v1 of the API')
  },
)

t.test(
  'helm test asks for each webhook that is on, by a pod that no selector of the chart takes for a server',
  async (t) => {
    const verification = (values: JsonObject = {}) =>
      render({ values, hooks: true }).filter((object) => nameOf(object) === `${NAME}-verify`)
    const hooked = verification({ webhooks: { ingress: { enabled: false } }, verify: { namespace: 'shop' } })
    t.same(hooked.map(({ kind }) => kind).toSorted(), ['Pod', 'Role', 'RoleBinding', 'ServiceAccount'])
    const pod = only(hooked, 'Pod')
    const [container] = arrayMember(member(pod, 'spec'), 'containers')
    const functions = ['pods', 'templates', 'strictSwitch']
    t.same(arrayMember(container, 'args'), ['verify', '--namespace=shop', '--wait=120', '--function', ...functions])
    t.not(memberAt(pod, 'metadata', 'labels', 'app.kubernetes.io/name'), 'istio-onramp')
    t.equal(memberAt(only(hooked, 'Role'), 'metadata', 'namespace'), 'shop')
    for (const object of hooked) {
      t.equal(memberAt(object, 'metadata', 'annotations', 'helm.sh/hook'), 'test')
      t.match(memberAt(object, 'metadata', 'annotations', 'helm.sh/hook-delete-policy'), /before-hook-creation/)
    }
    for (const object of verification({ verify: { afterInstall: true } }))
      t.equal(memberAt(object, 'metadata', 'annotations', 'helm.sh/hook'), 'test,post-install,post-upgrade')
    t.same(verification({ rbac: { create: false } }), [], 'without an account of its own')
    t.same(verification({ excludeNamespaces: ['default'] }), [], 'nor where no webhook is asked')
  },
)

t.test('Recreate drops what only a rolling update takes', async (t) => {
  const objects = render({ values: { updateStrategy: { type: 'Recreate' } } })
  t.same(memberAt(only(objects, 'Deployment'), 'spec', 'strategy'), { type: 'Recreate' })
})

t.test('an ID may be null, for platforms that choose their own', async (t) => {
  const podSecurityContext = { runAsUser: null, runAsGroup: null, fsGroup: null }
  const context = podOf(render({ values: { podSecurityContext } }))['securityContext']
  t.same(context, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
})

const STRICT_SWITCH = 'strict-switch.istio-onramp.io'

function hasSelector(webhook: JsonObject): boolean {
  return webhook['name'] !== STRICT_SWITCH
}

t.test('webhooks, policy and server leave the same namespaces alone', async (t) => {
  const values = { excludeNamespaces: ['legacy'], controlPlaneNamespaces: ['istio-canary'] }
  const cases: readonly (readonly [JsonObject, readonly string[]])[] = [
    [{}, OWN_EXCLUDED],
    [values, [...ALWAYS, 'istio-canary', 'legacy', NAMESPACE].sort()],
  ]
  for (const [given, names] of cases) {
    const objects = render({ values: given })
    const expected = [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: names }]
    for (const side of ['Mutating', 'Validating'] as const)
      for (const webhook of entriesOf(objects, side).filter(hasSelector))
        t.same(memberAt(webhook, 'namespaceSelector', 'matchExpressions'), expected, String(webhook['name']))
    const binding = only(objects, 'ValidatingAdmissionPolicyBinding')
    t.same(memberAt(binding, 'spec', 'matchResources', 'namespaceSelector', 'matchExpressions'), expected)
    t.same(parseConfiguration(configOf(objects), 'config.yaml').rules.exemptNamespaces, names)
  }
})

t.test('the API server calls us before Istio: configurations go by the byte order of their names', async (t) => {
  const name = nameOf(only(render(), 'MutatingWebhookConfiguration'))
  for (const injector of ['istio-revision-tag-default', 'istio-sidecar-injector', 'istio-sidecar-injector-canary'])
    t.ok(Buffer.compare(Buffer.from(name), Buffer.from(injector)) < 0, injector)
})

t.test('namespaceSelector narrows every entry but the guard of STRICT, and the policy', async (t) => {
  const matchLabels = { 'istio-onramp.io/enabled': 'true' }
  const team = { key: 'team', operator: 'Exists' }
  const objects = render({ values: { webhooks: { namespaceSelector: { matchLabels, matchExpressions: [team] } } } })
  const selectors = [
    ...entriesOf(objects, 'Mutating').map((webhook) => webhook['namespaceSelector']),
    ...entriesOf(objects, 'Validating')
      .filter(hasSelector)
      .map((webhook) => webhook['namespaceSelector']),
    memberAt(only(objects, 'ValidatingAdmissionPolicyBinding'), 'spec', 'matchResources', 'namespaceSelector'),
  ]
  t.equal(selectors.length, 5)
  for (const selector of selectors) {
    t.same(member(selector, 'matchLabels'), matchLabels)
    t.same(arrayMember(selector, 'matchExpressions')[1], team)
  }
})

t.test('the guard of STRICT sees every namespace: a mesh-wide policy is written in the root namespace', async (t) => {
  const objects = render({ values: { webhooks: { namespaceSelector: { matchLabels: { a: 'b' } } } } })
  t.same(entry(objects, 'Validating', STRICT_SWITCH)['namespaceSelector'], {})
})

t.test('a URL replaces the Service, with the path of each configuration', async (t) => {
  const objects = render({ values: { ...existingSecret(), webhooks: { url: 'https://10.0.0.1:8443/' } } })
  const bundle = Buffer.from(PEM).toString('base64')
  t.same(entry(objects, 'Mutating', 'probes.istio-onramp.io')['clientConfig'], {
    url: 'https://10.0.0.1:8443/mutate',
    caBundle: bundle,
  })
  t.same(entry(objects, 'Validating', 'ingress.istio-onramp.io')['clientConfig'], {
    url: 'https://10.0.0.1:8443/validate',
    caBundle: bundle,
  })
})

t.test('an entry that is switched off is gone, and a configuration without entries too', async (t) => {
  const off = { enabled: false }
  const withoutIngress = render({ values: { webhooks: { ingress: off } } })
  t.same(
    entriesOf(withoutIngress, 'Mutating').map((webhook) => webhook['name']),
    ['probes.istio-onramp.io', 'templates.istio-onramp.io'],
  )
  t.same(
    entriesOf(withoutIngress, 'Validating').map((webhook) => webhook['name']),
    ['strict-switch.istio-onramp.io'],
  )
  const withoutBoth = render({ values: { webhooks: { ingress: off, strictSwitch: off } } })
  t.same(ofKind(withoutBoth, 'ValidatingWebhookConfiguration'), [])
  t.same(ofKind(withoutIngress, 'ValidatingAdmissionPolicy'), [], 'the policy is the net of the guard')
  const none = render({ values: { webhooks: { pods: off, templates: off, ingress: off } } })
  t.same(ofKind(none, 'MutatingWebhookConfiguration'), [])
})

t.test('Kubernetes before 1.30 gets no conditions, no policy and no sleep', async (t) => {
  const old = render({ kubernetes: '1.29.9' })
  for (const webhook of entriesOf(old, 'Mutating')) t.same(conditionNames(webhook), [])
  t.same(ofKind(old, 'ValidatingAdmissionPolicy'), [])
  t.equal(containerOf(old)['lifecycle'], undefined)
  const first = render({ kubernetes: '1.30.0-gke.100' })
  t.equal(ofKind(first, 'ValidatingAdmissionPolicy').length, 1)
  t.same(containerOf(first)['lifecycle'], { preStop: { sleep: { seconds: 5 } } })
})

t.test('the configuration file is what the server reads', async (t) => {
  const byDefault = parseConfiguration(configOf(render()), 'config.yaml')
  const { rules } = DEFAULT_CONFIGURATION
  t.same(byDefault, { ...DEFAULT_CONFIGURATION, rules: { ...rules, exemptNamespaces: OWN_EXCLUDED } })
  const config = {
    rules: { probes: 'port', prober: { image: 'registry.example/prober:1' }, trustedIngressUsers: ['flagger'] },
    cluster: { unknownAfterSeconds: 600 },
    logLevel: 'debug',
    limits: { requestBytes: 33554431, inFlightBytes: 134217727 },
    shutdown: { drainSeconds: 20, idleSeconds: 3 },
  }
  const controlPlaneNamespaces = ['istio-system', 'istio-canary']
  const set = parseConfiguration(configOf(render({ values: { config, controlPlaneNamespaces } })), 'config.yaml')
  t.match(set, config)
  t.same(set.cluster, { unknownAfterSeconds: 600, controlPlaneNamespaces }, 'it reads where its Roles let it')
})

t.test('a new configuration starts new pods, more replicas do not', async (t) => {
  const checksum = (values: JsonObject): Json | undefined =>
    memberAt(only(render({ values }), 'Deployment'), 'spec', 'template', 'metadata', 'annotations', 'checksum/config')
  t.equal(checksum({ replicas: 5 }), checksum({}))
  t.not(checksum({ config: { logLevel: 'debug' } }), checksum({}))
  t.not(checksum({ excludeNamespaces: ['legacy'] }), checksum({}))
})

t.test('the pods meet the restricted Pod Security standard and write nowhere', async (t) => {
  const objects = render()
  const container = containerOf(objects)
  t.match(podOf(objects)['securityContext'], {
    runAsNonRoot: true,
    runAsUser: 65532,
    seccompProfile: { type: 'RuntimeDefault' },
  })
  t.same(container['securityContext'], {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  t.equal(memberAt(container, 'resources', 'limits', 'cpu'), undefined, 'a throttled server is a slow API server')
  t.ok(memberAt(container, 'resources', 'limits', 'memory'))
  t.equal(podOf(objects)['enableServiceLinks'], false)
})

t.test('IDs can be left to the platform', async (t) => {
  const podSecurityContext = { runAsUser: null, runAsGroup: null, fsGroup: null }
  t.same(podOf(render({ values: { podSecurityContext } }))['securityContext'], {
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  })
})

t.test('the pods stay out of the mesh: the API server has no certificate of it', async (t) => {
  const labels = memberAt(only(render(), 'Deployment'), 'spec', 'template', 'metadata', 'labels')
  t.match(labels, { 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' })
})

t.test('kubelet waits as long as a stop can take', async (t) => {
  for (const [preStopSeconds, drainSeconds] of [
    [5, 15],
    [0, 0],
    [10, 60],
  ] as const) {
    const values = { preStopSeconds, config: { shutdown: { drainSeconds } } }
    const grace = Number(podOf(render({ values }))['terminationGracePeriodSeconds'])
    t.ok(grace > preStopSeconds + drainSeconds + 35, `serve.ts gives up after ${drainSeconds} + 35 s: ${grace}`)
  }
})

t.test('what points at something finds it', async (t) => {
  for (const file of CI_VALUES) {
    const objects = render({ files: [file] })
    const title = basename(file)
    const template = memberAt(only(objects, 'Deployment'), 'spec', 'template')
    const service = only(objects, 'Service')
    t.match(memberAt(template, 'metadata', 'labels'), memberAt(service, 'spec', 'selector'), title)
    for (const budget of ofKind(objects, 'PodDisruptionBudget'))
      t.match(memberAt(template, 'metadata', 'labels'), memberAt(budget, 'spec', 'selector', 'matchLabels'), title)
    const container = containerOf(objects)
    const ports = arrayMember(container, 'ports').map((port) => member(port, 'name'))
    for (const port of arrayMember(memberAt(service, 'spec'), 'ports'))
      t.ok(ports.includes(member(port, 'targetPort')), title)
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      t.match(memberAt(container, probe, 'httpGet'), { port: 'https', scheme: 'HTTPS' }, title)
    const volumes = arrayMember(podOf(objects), 'volumes').map((volume) => member(volume, 'name'))
    for (const mount of arrayMember(container, 'volumeMounts')) t.ok(volumes.includes(member(mount, 'name')), title)
    const clients = [...entriesOf(objects, 'Mutating'), ...entriesOf(objects, 'Validating')]
      .map((webhook) => memberAt(webhook, 'clientConfig', 'service'))
      .filter((client) => client !== undefined)
    for (const client of clients) {
      t.match(client, { name: nameOf(service), namespace: NAMESPACE }, title)
      const served = arrayMember(memberAt(service, 'spec'), 'ports').map((port) => member(port, 'port'))
      t.ok(served.includes(member(client, 'port')), title)
    }
  }
})

t.test('cert-manager: an authority of our own, or the issuer that is named', async (t) => {
  const own = render()
  t.same(ofKind(own, 'Issuer').map(nameOf), [`${NAME}-self-signed`, `${NAME}-authority`])
  t.same(ofKind(own, 'Certificate').map(nameOf), [`${NAME}-authority`, `${NAME}-tls`])
  const issuerRef = { name: 'platform', kind: 'ClusterIssuer' }
  const named = render({ values: { certificates: { certManager: { issuerRef } } } })
  t.same(ofKind(named, 'Issuer'), [])
  t.match(memberAt(only(named, 'Certificate'), 'spec', 'issuerRef'), issuerRef)
  for (const objects of [own, named]) {
    for (const certificate of ofKind(objects, 'Certificate'))
      t.match(memberAt(certificate, 'spec', 'privateKey'), { algorithm: 'ECDSA', rotationPolicy: 'Always' })
    const serving = ofKind(objects, 'Certificate').find((object) => nameOf(object) === `${NAME}-tls`)
    t.ok(arrayMember(memberAt(serving, 'spec'), 'dnsNames').includes(`${NAME}.${NAMESPACE}.svc`), 'what SNI asks for')
    t.match(arrayMember(podOf(objects), 'volumes')[1], {
      secret: { secretName: memberAt(serving, 'spec', 'secretName') as string },
    })
    for (const side of ['Mutating', 'Validating'] as const)
      t.equal(
        memberAt(
          only(objects, `${side}WebhookConfiguration`),
          'metadata',
          'annotations',
          'cert-manager.io/inject-ca-from',
        ),
        `${NAMESPACE}/${NAME}-tls`,
      )
  }
})

t.test('an existing Secret is mounted, and nothing of cert-manager rendered', async (t) => {
  const objects = render({ values: existingSecret() })
  t.same([...ofKind(objects, 'Issuer'), ...ofKind(objects, 'Certificate')], [])
  t.match(arrayMember(podOf(objects), 'volumes')[1], { secret: { secretName: 'tls' } })
})

const selfManaged = (changes: JsonObject = {}): JsonObject => ({
  certificates: { mode: 'selfManaged', selfManaged: changes },
})

t.test('selfManaged: what is written at run time is not rendered, and the server is told where it is', async (t) => {
  const objects = render({
    values: {
      ...selfManaged({ leafDuration: '2m', authorityDuration: '1h', extraIpAddresses: ['10.0.0.1'] }),
      webhooks: { configurationName: 'a-hooks' },
    },
  })
  const secret = only(objects, 'Secret')
  t.equal(nameOf(secret), `${NAME}-self-managed`)
  t.notOk('data' in secret || 'stringData' in secret, 'no data: no upgrade may replace an authority')
  t.same(
    [...entriesOf(objects, 'Mutating'), ...entriesOf(objects, 'Validating')].filter(
      (webhook) => memberAt(webhook, 'clientConfig', 'caBundle') !== undefined,
    ),
    [],
    'no caBundle',
  )
  t.same([...ofKind(objects, 'Issuer'), ...ofKind(objects, 'Certificate')], [])
  t.notMatch(JSON.stringify(podOf(objects)), /tls\.crt|"tls"/, 'no certificate is mounted')
  t.match(parseConfiguration(configOf(objects), 'config.yaml').certificates, {
    namespace: NAMESPACE,
    secretName: `${NAME}-self-managed`,
    webhookConfiguration: 'a-hooks',
    hosts: [
      `${NAME}.${NAMESPACE}.svc`,
      `${NAME}.${NAMESPACE}.svc.cluster.local`,
      `${NAME}.${NAMESPACE}`,
      NAME,
      '10.0.0.1',
    ],
    leafDuration: '2m',
    authorityDuration: '1h',
    trustDelay: '2m',
  })
})

t.test('selfManaged: the right to write one Secret and two webhook configurations, in this mode only', async (t) => {
  const writing = (values: JsonObject) =>
    ['ClusterRole', 'Role'].flatMap((kind) =>
      ofKind(render({ values }), kind).flatMap((role) =>
        arrayMember(role, 'rules')
          .filter((rule) => !arrayMember(rule, 'verbs').includes('list'))
          .map((rule) => ({ kind, namespace: memberAt(role, 'metadata', 'namespace') ?? '', ...(rule as JsonObject) })),
      ),
    )
  t.same(writing({}), [])
  t.same(writing(existingSecret()), [])
  const secrets = { kind: 'Role', namespace: NAMESPACE, apiGroups: [''], resources: ['secrets'] }
  t.same(writing(selfManaged()), [
    {
      kind: 'ClusterRole',
      namespace: '',
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
      resourceNames: ['istio-onramp'],
      verbs: ['get', 'watch', 'patch'],
    },
    { ...secrets, resourceNames: [`${NAME}-self-managed`], verbs: ['get', 'update'] },
    { ...secrets, verbs: ['create'] },
  ])
})

t.test('the rights are to read, and are given to the account of the pods', async (t) => {
  const objects = render({ values: { controlPlaneNamespaces: ['istio-system', 'istio-canary'] } })
  const roles = [...ofKind(objects, 'ClusterRole'), ...ofKind(objects, 'Role')]
  t.same(
    ofKind(objects, 'Role').map((role) => memberAt(role, 'metadata', 'namespace')),
    ['istio-system', 'istio-canary'],
  )
  for (const rule of roles.flatMap((role) => arrayMember(role, 'rules'))) {
    t.same(member(rule, 'verbs'), ['list', 'watch'])
    const asked = [...arrayMember(rule, 'resources'), ...arrayMember(rule, 'apiGroups')]
    t.notOk(asked.includes('*') || asked.includes('secrets'), JSON.stringify(rule))
  }
  const inCluster = arrayMember(only(objects, 'ClusterRole'), 'rules').flatMap((rule) => arrayMember(rule, 'resources'))
  t.notOk(inCluster.includes('configmaps'), 'only where the control plane runs')
  for (const binding of [...ofKind(objects, 'ClusterRoleBinding'), ...ofKind(objects, 'RoleBinding')])
    t.same(binding['subjects'], [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }])
  t.equal(podOf(objects)['serviceAccountName'], nameOf(only(objects, 'ServiceAccount')))
})

t.test('one replica has no disruption budget, or no node could be drained', async (t) => {
  t.same(ofKind(render({ values: { replicas: 1 } }), 'PodDisruptionBudget'), [])
  t.match(memberAt(only(render(), 'PodDisruptionBudget'), 'spec'), {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  })
})

t.test('the role for readers of access logs is there when asked for, and bound to nobody', async (t) => {
  const roles = (values: JsonObject) =>
    render({ values }).filter((object) => object.kind === 'ClusterRole' && nameOf(object) === `${NAME}-access-logs`)
  t.same(roles({}), [])
  const [role] = roles({ rbac: { accessLogs: true } })
  t.same(member(role, 'rules'), [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }])
  const bound = render({ values: { rbac: { accessLogs: true } } }).map((object) => memberAt(object, 'roleRef', 'name'))
  t.notOk(bound.includes(`${NAME}-access-logs`))
})
