// One table: for each code of finding-codes.ts what is found, and beside it the nearest thing that is not.
import t from 'tap'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { type TRAFFIC_FINDINGS } from '../../src/readiness/codes/traffic-findings.ts'
import { FINDINGS, type FindingCode } from '../../src/readiness/finding-codes.ts'
import { findingKey } from '../../src/readiness/finding.ts'
import { switchOrder } from '../../src/readiness/switch-order.ts'
import { namespaceObject, peerAuthentication, type InjectorValues } from '../support/fixtures.ts'
import {
  codes,
  deployment,
  destinationRule,
  env,
  find,
  mesh,
  object,
  runningPod,
  service,
  verdictOf,
  verdictsOf,
  type Members,
} from './support/mesh.ts'

const PROBE: Members = { livenessProbe: { httpGet: { port: 8080 } } }
const OFF = { annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' } }
const REWRITING: InjectorValues = { rewriteAppHTTPProbe: true }
const web = deployment('web')
const LEGACY = namespaceObject('legacy')

function webhook(changes: Members = {}, rule: Members = {}, name = 'hooks'): JsonObject {
  return object(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    name,
    {
      webhooks: [
        {
          name: 'v.example.org',
          clientConfig: { service: { namespace: 'shop', name: 'web', port: 80 } },
          failurePolicy: 'Fail',
          rules: [{ apiGroups: ['apps'], resources: ['deployments'], operations: ['CREATE'], ...rule }],
          ...changes,
        },
      ],
    },
    '',
  )
}
const FOR_PODS: Members = { apiGroups: [''], resources: ['pods'] }
const OWN_WEBHOOK = object(
  'admissionregistration.k8s.io/v1',
  'MutatingWebhookConfiguration',
  'istio-onramp',
  {
    webhooks: [
      {
        name: 'pods.istio-onramp.io',
        clientConfig: { service: { namespace: 'istio-onramp', name: 'istio-onramp' } },
        rules: [{ apiGroups: [''], resources: ['pods'], operations: ['CREATE'] }],
      },
    ],
  },
  '',
)
const REWRITTEN = {
  annotations: {
    'istio-onramp.io/rewritten':
      '{"web":{"livenessProbe":{"original":{"httpGet":{"port":8080}},"strategy":"exec","reason":"strict-mtls"}}}',
  },
}
const OUR_LABEL = { 'istio-injection': 'enabled', 'istio-onramp.io/enabled': 'true' }
const crd = object(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'things.example.org',
  {
    spec: {
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: { service: { namespace: 'shop', name: 'web', port: 80 } } },
      },
    },
  },
  '',
)
const apiService = object(
  'apiregistration.k8s.io/v1',
  'APIService',
  'v1.example.org',
  { spec: { service: { namespace: 'shop', name: 'web', port: 80 } } },
  '',
)
const tcpService = service('web', {}, { name: 'https' })
const open = peerAuthentication('shop', 'web', {
  selector: { matchLabels: { app: 'web' } },
  portLevelMtls: { '8080': { mode: 'PERMISSIVE' } },
})
const excluded = deployment('web', {}, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } })
const ingress = (className: string): JsonObject =>
  object('networking.k8s.io/v1', 'Ingress', 'web', {
    spec: {
      ingressClassName: className,
      rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'web', port: { number: 80 } } } }] } }],
    },
  })
const route = object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'web', {
  spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
})
const gateway = (className: string, controller: string): readonly JsonObject[] => [
  object('gateway.networking.k8s.io/v1', 'Gateway', 'edge', { spec: { gatewayClassName: className } }),
  object('gateway.networking.k8s.io/v1', 'GatewayClass', className, { spec: { controllerName: controller } }, ''),
]
const monitor = (kind: 'ServiceMonitor' | 'PodMonitor', endpoint: Members): JsonObject =>
  object('monitoring.coreos.com/v1', kind, 'web', {
    spec:
      kind === 'ServiceMonitor'
        ? { selector: {}, endpoints: [endpoint] }
        : { selector: { matchLabels: { app: 'web' } }, podMetricsEndpoints: [endpoint] },
  })
const caller = (container: Members, options: Parameters<typeof deployment>[2] = {}) =>
  deployment('caller', container, options)
const outsider = (value: string): readonly JsonObject[] => [
  LEGACY,
  deployment('old', env('WEB_URL', value), { namespace: 'legacy' }),
]
const authorization = (rules: readonly Members[]): JsonObject =>
  object('security.istio.io/v1', 'AuthorizationPolicy', 'callers', { spec: { action: 'ALLOW', rules } })
const ambient = [
  namespaceObject('amb', { 'istio.io/dataplane-mode': 'ambient' }),
  deployment('web', PROBE, { namespace: 'amb' }),
]
const networkPolicy = (ingressRules: readonly Members[]): JsonObject =>
  object(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'web',
    { spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: ingressRules } },
    'amb',
  )
const subset = (spec: Members) => destinationRule('web', { subsets: [{ name: 'v1', ...spec }] })
const toSubset = object('networking.istio.io/v1', 'VirtualService', 'web', {
  spec: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web', subset: 'v1' } }] }] },
})

/** An EndpointSlice that somebody wrote for a Service without a selector. */
const slice = (managedBy?: string): JsonObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    labels: {
      'kubernetes.io/service-name': 'web',
      ...(managedBy === undefined ? {} : { 'endpointslice.kubernetes.io/managed-by': managedBy }),
    },
  },
  ports: [{ name: 'http', port: 8080 }],
  endpoints: [{ addresses: ['10.1.0.1'] }],
})
const withoutSelector = (type: string): JsonObject => service('web', { type, selector: {} }, { targetPort: 1 })
const node = object(
  'v1',
  'Node',
  'node-1',
  { status: { addresses: [{ type: 'InternalIP', address: '192.168.0.7' }] } },
  '',
)
const hostPod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'kube-proxy', namespace: 'legacy' },
  spec: { hostNetwork: true, containers: [{ name: 'kube-proxy' }] },
  status: { phase: 'Running', podIP: '192.168.0.7', podIPs: [{ ip: '192.168.0.7' }], hostIP: '192.168.0.7' },
}
/** A mesh configuration that istiod reads because its environment says so. */
const sharedConfig = (name: string, mesh: string): JsonObject =>
  object('v1', 'ConfigMap', name, { data: { mesh } }, 'istio-system')
const istiod = deployment('istiod', {}, { namespace: 'istio-system', spec: {} })
const istiodWith = (shared: string): JsonObject => ({
  ...istiod,
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'discovery',
            env: [
              { name: 'REVISION', value: 'default' },
              { name: 'SHARED_MESH_CONFIG', value: shared },
            ],
          },
        ],
      },
    },
  },
})

const HEALTHZ: Members = { livenessProbe: { httpGet: { port: 8080, path: '/healthz' } } }
const HOOK: Members = { lifecycle: { preStop: { httpGet: { port: 8080 } } } }
const policy = (spec: Members, metadata: Members = {}): JsonObject => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'policy', namespace: 'shop', ...metadata },
  spec,
})
const deny = (rule: Members): Members => ({ action: 'DENY', rules: [rule] })
const metadataOf = ({ metadata }: JsonObject): Members => metadata as Members
const scraped = (annotations: Members): JsonObject => {
  const plain = service('web')
  return {
    ...plain,
    metadata: { ...metadataOf(plain), annotations: { 'prometheus.io/scrape': 'true', ...annotations } },
  }
}
const front = (name: string): JsonObject => deployment(name, {}, { labels: { tier: 'front' } })
/** A policy of the given year after 2020. */
const aged = (name: string, year: number, matchLabels: Members): JsonObject => {
  const plain = peerAuthentication('shop', name, { selector: { matchLabels }, mtls: { mode: 'PERMISSIVE' } })
  return { ...plain, metadata: { ...metadataOf(plain), creationTimestamp: `202${year}-01-01T00:00:00Z` } }
}
const egressPolicy = (egress: readonly Members[]): JsonObject =>
  object(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'out',
    { spec: { podSelector: {}, policyTypes: ['Egress'], egress } },
    'amb',
  )

interface Case {
  readonly title: string
  readonly objects: readonly JsonObject[]
  readonly values?: InjectorValues
  /** The namespace that is assumed STRICT; null for the modes in force. */
  readonly strict?: string | null
}

interface Cases {
  readonly found: readonly Case[]
  readonly notFound: readonly Case[]
}

const at = (title: string, objects: readonly JsonObject[], more: Partial<Case> = {}): Case => ({
  title,
  objects,
  ...more,
})

/** Findings that need access logs are in test/callers. */
type CodeOfCluster = Exclude<FindingCode, keyof typeof TRAFFIC_FINDINGS>

const TABLE: Readonly<Record<CodeOfCluster, Cases>> = {
  'probe-fails': {
    found: [
      at('an httpGet on a STRICT port', [deployment('web', PROBE)]),
      at('a grpc probe', [deployment('web', { startupProbe: { grpc: { port: 9000 } } })]),
      at('Istio would rewrite it, but the pod opts out', [deployment('web', PROBE, OFF)], { values: REWRITING }),
      at('a container that came after the injector, in a pod that runs', [runningPod('web', PROBE)], {
        values: REWRITING,
      }),
      at(
        'the status port is itself captured',
        [deployment('web', PROBE, { annotations: { 'traffic.sidecar.istio.io/includeInboundPorts': '8080,15020' } })],
        { values: REWRITING },
      ),
    ],
    notFound: [
      at('in PERMISSIVE', [deployment('web', PROBE)], { strict: null }),
      at('Istio serves it', [deployment('web', PROBE)], { values: REWRITING }),
      at('an exec probe', [deployment('web', { livenessProbe: { exec: { command: ['true'] } } })]),
      at('the port is not captured', [
        deployment('web', PROBE, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } }),
      ]),
      at('the port is PERMISSIVE', [deployment('web', PROBE), open]),
      at('no sidecar', [deployment('web', PROBE, { labels: { 'sidecar.istio.io/inject': 'false' } })]),
      at('a pod whose probe Istio rewrote', [
        runningPod('web', { livenessProbe: { httpGet: { path: '/app-health/web/livez', port: 15020 } } }),
      ]),
      at('ambient', ambient, { strict: 'amb' }),
    ],
  },
  'probe-fails-until-recreated': {
    found: [
      at('Istio would rewrite the probe of a new pod', [deployment('web', PROBE), runningPod('web', PROBE)], {
        values: REWRITING,
      }),
      at('our webhook would', [deployment('web', PROBE), runningPod('web', PROBE), OWN_WEBHOOK]),
    ],
    notFound: [at('nobody would', [deployment('web', PROBE), runningPod('web', PROBE)])],
  },
  'hook-fails': {
    found: [at('an httpGet hook', [deployment('web', { lifecycle: { preStop: { httpGet: { port: 8080 } } } })])],
    notFound: [at('an exec hook', [deployment('web', { lifecycle: { preStop: { exec: { command: ['true'] } } } })])],
  },
  'probe-always-passes': {
    found: [
      at('a tcpSocket probe', [deployment('web', { livenessProbe: { tcpSocket: { port: 8080 } } })]),
      at('in PERMISSIVE as well', [deployment('web', { livenessProbe: { tcpSocket: { port: 8080 } } })], {
        strict: null,
      }),
    ],
    notFound: [
      at('Istio makes it honest', [deployment('web', { livenessProbe: { tcpSocket: { port: 8080 } } })], {
        values: REWRITING,
      }),
    ],
  },
  'probe-rewritten': {
    found: [at('our webhook selects the pod', [deployment('web', PROBE), OWN_WEBHOOK])],
    notFound: [at('our webhook is not installed', [deployment('web', PROBE)])],
  },
  'probe-fails-already': {
    found: [
      at(
        'an https hook on a port declared http, PERMISSIVE',
        [deployment('web', { lifecycle: { preStop: { httpGet: { scheme: 'HTTPS', port: 8080 } } } }), service('web')],
        { strict: null },
      ),
      at(
        'https on a port declared http',
        [deployment('web', { readinessProbe: { httpGet: { scheme: 'HTTPS', port: 8080 } } }), service('web')],
        { strict: null },
      ),
      at(
        'grpc on a port declared http',
        [deployment('web', { readinessProbe: { grpc: { port: 8080 } } }), service('web')],
        { strict: null },
      ),
    ],
    notFound: [
      at(
        'an https hook where the mode is DISABLE: kubelet tries again in plain text',
        [
          deployment('web', { lifecycle: { preStop: { httpGet: { scheme: 'HTTPS', port: 8080 } } } }),
          service('web'),
          peerAuthentication('shop', 'default', { mtls: { mode: 'DISABLE' } }),
        ],
        { strict: null },
      ),
      at(
        'grpc on a port declared grpc',
        [deployment('web', { readinessProbe: { grpc: { port: 8080 } } }), service('web', {}, { name: 'grpc' })],
        { strict: null },
      ),
    ],
  },
  'authorization-policy-blocks-probe': {
    found: [
      ...(
        [
          ['nothing is allowed', {}],
          [
            'a DENY of all but one identity',
            deny({ from: [{ source: { notPrincipals: ['cluster.local/ns/shop/sa/a'] } }] }),
          ],
          ["a DENY of the probe's path", deny({ to: [{ operation: { paths: ['/healthz'] } }] })],
          ['a condition on the principal', { rules: [{ when: [{ key: 'source.principal', values: ['*'] }] }] }],
          ['a path that is left out', { rules: [{ to: [{ operation: { notPaths: ['/healthz'] } }] }] }],
          ["hosts that are not the pod's address", { rules: [{ to: [{ operation: { hosts: ['web.shop.svc'] } }] }] }],
          ['another port', { rules: [{ to: [{ operation: { ports: ['9090'] } }] }] }],
          ['another method', { rules: [{ to: [{ operation: { methods: ['POST'] } }] }] }],
        ] as const
      ).map(([title, spec]) => at(title, [deployment('web', HEALTHZ), service('web'), policy(spec)], { strict: null })),
      at(
        'paths on a port that is declared as TCP',
        [
          deployment('web', HEALTHZ),
          service('web', {}, { name: 'tcp' }),
          policy({ rules: [{ to: [{ operation: { paths: ['/healthz'] } }] }] }),
        ],
        { strict: null },
      ),
      at(
        'a hook on a port that is declared as TCP',
        [deployment('web', HOOK), service('web', {}, { name: 'tcp' }), policy({})],
        { strict: null },
      ),
      at(
        'grpc is a POST',
        [
          deployment('web', { readinessProbe: { grpc: { port: 8080 } } }),
          service('web', {}, { name: 'grpc' }),
          policy({ rules: [{ to: [{ operation: { methods: ['GET'] } }] }] }),
        ],
        { strict: null },
      ),
      at(
        'only principals are allowed',
        [deployment('web', PROBE), authorization([{ from: [{ source: { principals: ['*'] } }] }])],
        { strict: null },
      ),
    ],
    notFound: [
      ...(
        [
          ['a DENY of another path', deny({ to: [{ operation: { paths: ['/admin*'] } }] })],
          ['a DENY of an identity', deny({ from: [{ source: { principals: ['*'] } }] })],
          [
            'addresses, which may be those of the nodes',
            { rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] }] },
          ],
          ['a CUSTOM action', { action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] }],
          ['an AUDIT', { action: 'AUDIT', rules: [{}] }],
          ['a waypoint', { targetRefs: [{ kind: 'Service', name: 'web' }] }],
          ['another workload', { selector: { matchLabels: { app: 'api' } } }],
        ] as const
      ).map(([title, spec]) => at(title, [deployment('web', HEALTHZ), service('web'), policy(spec)], { strict: null })),
      at('a dry run', [deployment('web', HEALTHZ), policy({}, { annotations: { 'istio.io/dry-run': 'true' } })], {
        strict: null,
      }),
      at('a hook, which takes 403 for an answer', [deployment('web', HOOK), service('web'), policy({})], {
        strict: null,
      }),
      at(
        'the Host header that the probe sets',
        [
          deployment('web', {
            livenessProbe: { httpGet: { port: 8080, httpHeaders: [{ name: 'Host', value: 'web.shop.svc' }] } },
          }),
          policy({ rules: [{ to: [{ operation: { hosts: ['web.shop.svc'] } }] }] }),
        ],
        { strict: null },
      ),
      at(
        'grpc is a POST',
        [
          deployment('web', { readinessProbe: { grpc: { port: 8080 } } }),
          service('web', {}, { name: 'grpc' }),
          policy({ rules: [{ to: [{ operation: { methods: ['POST'] } }] }] }),
        ],
        { strict: null },
      ),
      at(
        'the path is open',
        [
          deployment('web', PROBE),
          authorization([{ from: [{ source: { principals: ['*'] } }] }, { to: [{ operation: { paths: ['/*'] } }] }]),
        ],
        { strict: null },
      ),
      at('the agent serves the probe', [deployment('web', PROBE), authorization([])], {
        strict: null,
        values: REWRITING,
      }),
    ],
  },
  'tcp-hook-fails': {
    found: [at('a tcpSocket hook', [deployment('web', { lifecycle: { postStart: { tcpSocket: { port: 8080 } } } })])],
    notFound: [
      at('Istio rewrites it', [deployment('web', { lifecycle: { postStart: { tcpSocket: { port: 8080 } } } })], {
        values: REWRITING,
      }),
    ],
  },
  'sidecar-missing': {
    found: [
      at('only the pod is known', [runningPod('web', {}, { sidecar: false })]),
      at('a pod from before injection', [web, runningPod('web', {}, { sidecar: false })]),
    ],
    notFound: [
      at('a pod whose own label opts out', [
        {
          ...runningPod('web', {}, { sidecar: false }),
          metadata: {
            ...metadataOf(runningPod('web', {})),
            labels: { 'sidecar.istio.io/inject': 'false' },
            annotations: {},
          },
        },
      ]),
      at(
        'a namespace whose istio-injection: disabled beats its revision',
        [
          namespaceObject('x', { 'istio-injection': 'disabled', 'istio.io/rev': 'default' }),
          runningPod('web', {}, { namespace: 'x', sidecar: false }),
        ],
        { strict: 'x' },
      ),
      at('a pod with a sidecar', [web, runningPod('web', {})]),
    ],
  },
  'outside-mesh': {
    found: [
      at('an opted-out workload beside one in the mesh', [
        web,
        deployment('out', {}, { labels: { 'sidecar.istio.io/inject': 'false' } }),
      ]),
    ],
    notFound: [at('a namespace that is outside altogether', [...outsider('nothing')])],
  },
  'pod-refused': {
    found: [
      at('an annotation that Istio refuses', [
        deployment('web', {}, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': 'http' } }),
      ]),
    ],
    notFound: [at('a valid one', [excluded])],
  },
  'init-container-call': {
    found: [
      at('an init container waits for a STRICT Service, without native sidecars', [
        web,
        service('web'),
        caller(
          {},
          {
            annotations: { 'sidecar.istio.io/nativeSidecar': 'false' },
            spec: { initContainers: [{ name: 'wait', args: ['until curl http://web; do sleep 1; done'] }] },
          },
        ),
      ]),
    ],
    notFound: [
      at('with native sidecars', [
        web,
        service('web'),
        caller({}, { spec: { initContainers: [{ name: 'wait', args: ['until curl http://web; do sleep 1; done'] }] } }),
      ]),
    ],
  },
  'webhook-blocks-pods': {
    found: [at('failurePolicy Fail on pods', [web, tcpService, webhook({}, FOR_PODS)])],
    notFound: [
      at('Ignore', [web, tcpService, webhook({ failurePolicy: 'Ignore' }, FOR_PODS)]),
      at('an excluded port', [excluded, tcpService, webhook({}, FOR_PODS)]),
    ],
  },
  'webhook-unreachable': {
    found: [
      at('a webhook for Deployments', [web, tcpService, webhook()]),
      at('portLevelMtls on the port of the Service', [
        web,
        tcpService,
        webhook(),
        peerAuthentication('shop', 'web', {
          selector: { matchLabels: { app: 'web' } },
          portLevelMtls: { '80': { mode: 'PERMISSIVE' } },
        }),
      ]),
    ],
    notFound: [
      at('PERMISSIVE container port', [web, tcpService, webhook(), open]),
      at('a server outside the mesh', [
        deployment('web', {}, { labels: { 'sidecar.istio.io/inject': 'false' } }),
        tcpService,
        webhook(),
      ]),
      at('PERMISSIVE', [web, tcpService, webhook()], { strict: null }),
    ],
  },
  'conversion-webhook-unreachable': {
    found: [at('a CRD', [web, tcpService, crd])],
    notFound: [at('an excluded port', [excluded, tcpService, crd])],
  },
  'api-service-unreachable': {
    found: [at('an APIService', [web, tcpService, apiService])],
    notFound: [at('an excluded port', [excluded, tcpService, apiService])],
  },
  'webhook-port-declared-http': {
    found: [at('a port named http', [web, service('web'), webhook()], { strict: null })],
    notFound: [at('a port named https', [web, tcpService, webhook()], { strict: null })],
  },
  'load-balancer-refused': {
    found: [at('a load balancer', [web, service('web', { type: 'LoadBalancer' })])],
    notFound: [
      at('of a gateway', [
        deployment('web', {}, { annotations: { 'inject.istio.io/templates': 'gateway' } }),
        service('web', { type: 'LoadBalancer' }),
      ]),
      at('to a PERMISSIVE port', [web, open, service('web', { type: 'LoadBalancer' })]),
    ],
  },
  'node-port-refused': {
    found: [
      at('a node port', [web, service('web', { type: 'NodePort' })]),
      at('a Service without a selector', [web, runningPod('web', {}), withoutSelector('NodePort'), slice()]),
    ],
    notFound: [
      at('a ClusterIP', [web, service('web')]),
      at('no selector and no EndpointSlice', [web, runningPod('web', {}), withoutSelector('NodePort')]),
      at("a Service whose selector's slice is beside", [
        web,
        runningPod('web', {}),
        withoutSelector('NodePort'),
        slice('endpointslice-controller.k8s.io'),
      ]),
    ],
  },
  'external-ip-refused': {
    found: [at('an external IP', [web, service('web', { externalIPs: ['192.0.2.1'] })])],
    notFound: [at('none', [web, service('web')])],
  },
  'host-port-refused': {
    found: [at('a host port', [deployment('web', { ports: [{ containerPort: 8080, hostPort: 8080 }] })])],
    notFound: [
      at('of an excluded port', [
        deployment(
          'web',
          { ports: [{ containerPort: 8080, hostPort: 8080 }] },
          { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } },
        ),
      ]),
    ],
  },
  'ingress-refused': {
    found: [
      at('the class as an annotation', [
        web,
        service('web'),
        {
          ...ingress(''),
          metadata: { name: 'web', namespace: 'shop', annotations: { 'kubernetes.io/ingress.class': 'nginx' } },
          spec: { defaultBackend: { service: { name: 'web', port: { name: 'http' } } } },
        },
        deployment('ingress-nginx', {}, { namespace: 'legacy' }),
      ]),
      at("the cluster's default class", [
        web,
        service('web'),
        { ...ingress(''), spec: { defaultBackend: { service: { name: 'web', port: { name: 'http' } } } } },
        deployment('ingress-nginx', {}, { namespace: 'legacy' }),
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'IngressClass',
          metadata: { name: 'edge', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
          spec: { controller: 'k8s.io/ingress-nginx' },
        },
      ]),
      at('a load balancer of the cloud', [web, service('web'), ingress('alb')]),
      at('a controller without sidecar', [
        web,
        service('web'),
        ingress('nginx'),
        deployment('ingress-nginx', {}, { namespace: 'legacy' }),
      ]),
    ],
    notFound: [
      at("Istio's class", [web, service('web'), ingress('istio')]),
      at('a controller that nobody knows', [web, service('web'), ingress('nginx')]),
      at('a controller in the mesh', [web, service('web'), ingress('nginx'), deployment('ingress-nginx')]),
    ],
  },
  'gateway-refused': {
    found: [
      at('another data plane', [web, service('web'), route, ...gateway('other', 'example.org/gateway')]),
      ...['ListenerSet', 'XListenerSet'].map((kind) =>
        at(`another data plane, by a ${kind}`, [
          web,
          service('web'),
          object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'web', {
            spec: { parentRefs: [{ kind, name: 'ours' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
          }),
          object(
            kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1',
            kind,
            'ours',
            { spec: { parentRef: { name: 'edge' } } },
          ),
          ...gateway('other', 'example.org/gateway'),
        ]),
      ),
      at('another data plane beside one that nobody knows', [
        web,
        service('web'),
        object('gateway.networking.k8s.io/v1', 'TLSRoute', 'web', {
          spec: {
            parentRefs: [{ name: 'lost' }, { name: 'edge' }],
            rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
          },
        }),
        ...gateway('other', 'example.org/gateway'),
      ]),
      at('agentgateway', [
        web,
        service('web'),
        LEGACY,
        route,
        ...gateway('agentgateway', 'agentgateway.dev/agentgateway'),
        deployment('agentgateway', {}, { namespace: 'legacy' }),
      ]),
    ],
    notFound: [
      at("Istio's agentgateway, of which some releases send plain text: not known", [
        web,
        service('web'),
        route,
        ...gateway('istio-agentgateway', 'istio.io/agentgateway-controller'),
      ]),
      at("Istio's", [web, service('web'), route, ...gateway('istio', 'istio.io/gateway-controller')]),
    ],
  },
  'scrape-refused': {
    found: [
      at('annotations of the Service, which merging leaves alone', [web, scraped({ 'prometheus.io/port': '8080' })]),
      at('annotations of the Service without a port', [web, scraped({})]),
      at('merging is off for the pod', [
        deployment(
          'web',
          {},
          {
            annotations: {
              'prometheus.io/scrape': 'true',
              'prometheus.io/port': '8080',
              'prometheus.istio.io/merge-metrics': 'false',
            },
          },
        ),
      ]),
      at(
        'merging is off in the mesh',
        [deployment('web', {}, { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' } })],
        { values: { mesh: { enablePrometheusMerge: false } } },
      ),
    ],
    notFound: [
      at("annotations of the Service that name the agent's port", [web, scraped({ 'prometheus.io/port': '15020' })]),
      at('merging', [
        deployment('web', {}, { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' } }),
      ]),
    ],
  },
  'service-monitor-refused': {
    found: [at('plain', [web, service('web'), monitor('ServiceMonitor', { port: 'http' })])],
    notFound: [
      at('with certificates', [
        web,
        service('web'),
        monitor('ServiceMonitor', { port: 'http', tlsConfig: { certFile: '/etc/prom-certs/cert-chain.pem' } }),
      ]),
    ],
  },
  'pod-monitor-refused': {
    found: [at('plain', [web, monitor('PodMonitor', { port: 'http' })])],
    notFound: [at("the agent's port", [web, monitor('PodMonitor', { portNumber: 15020 })])],
  },
  'plaintext-caller': {
    found: [
      at('a URL in the environment', [web, service('web'), ...outsider('http://web.shop:80/x')]),
      at('an ExternalName that leads to it', [
        web,
        service('web'),
        object(
          'v1',
          'Service',
          'alias',
          {
            spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' },
          },
          'legacy',
        ),
        ...outsider('http://alias:80'),
      ]),
      at('a port of the pods that the headless Service does not list', [
        web,
        service('web', { clusterIP: 'None' }),
        ...outsider('http://web.shop:9999'),
      ]),
      at('the ClusterIP', [web, service('web', { clusterIP: '10.0.0.7' }), ...outsider('http://10.0.0.7/')]),
      at('the node port, from inside the mesh', [
        web,
        service('web', { type: 'NodePort' }, { nodePort: 30080 }),
        runningPod('web', {}),
        caller(env('URL', 'http://192.168.0.9:30080')),
      ]),
      at('the node port at an address of a Node, where pods of the host listen as well', [
        web,
        service('web', { type: 'NodePort' }, { nodePort: 30080 }),
        node,
        LEGACY,
        hostPod,
        caller(env('URL', 'http://192.168.0.7:30080')),
      ]),
      at('the load balancer, from inside the mesh', [
        web,
        { ...service('web', { type: 'LoadBalancer' }), status: { loadBalancer: { ingress: [{ ip: '203.0.113.4' }] } } },
        caller(env('URL', 'http://203.0.113.4')),
      ]),
      at('an external IP', [
        web,
        service('web', { externalIPs: ['203.0.113.5'] }),
        caller(env('URL', 'http://203.0.113.5:80')),
      ]),
    ],
    notFound: [
      at('a caller in the mesh', [web, service('web'), caller(env('WEB_URL', 'http://web'))]),
      at('a port that is PERMISSIVE', [web, open, service('web'), ...outsider('http://web.shop')]),
      at('another port', [web, service('web'), ...outsider('http://web.shop:9999')]),
    ],
  },
  'destination-rule-plaintext': {
    found: [
      at("a subset without tls of its own has the rule's, in every release", [
        web,
        service('web'),
        toSubset,
        destinationRule('web', {
          trafficPolicy: { tls: { mode: 'DISABLE' } },
          subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }],
        }),
      ]),
      at("exported to the client's namespace", [
        web,
        service('web'),
        namespaceObject('other', { 'istio-injection': 'enabled' }),
        deployment('client', {}, { namespace: 'other' }),
        destinationRule('web', { exportTo: ['other'], trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      ]),
      at('DISABLE', [web, service('web'), destinationRule('web', { trafficPolicy: { tls: { mode: 'DISABLE' } } })]),
      at('an empty tls', [
        web,
        service('web'),
        destinationRule('web.shop.svc.cluster.local', { trafficPolicy: { tls: {} } }),
      ]),
      at('SIMPLE, by wildcard', [
        web,
        service('web'),
        destinationRule('*.shop.svc.cluster.local', { trafficPolicy: { tls: { mode: 'SIMPLE' } } }),
      ]),
      at('the port of the Service', [
        web,
        service('web'),
        destinationRule('web', {
          trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }] },
        }),
      ]),
      at('a subset that a route leads to', [
        web,
        service('web'),
        toSubset,
        subset({ trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      ]),
      at('of the root namespace', [
        web,
        service('web'),
        destinationRule('*.local', { trafficPolicy: { tls: { mode: 'DISABLE' } } }, 'istio-system'),
      ]),
    ],
    notFound: [
      at('exported to other namespaces only, where no client is', [
        web,
        service('web'),
        LEGACY,
        destinationRule('web', { exportTo: ['legacy'], trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      ]),
      at('a subset with weight 0', [
        web,
        service('web'),
        object('networking.istio.io/v1', 'VirtualService', 'web', {
          spec: {
            hosts: ['web'],
            http: [
              {
                route: [
                  { destination: { host: 'web', subset: 'v1' }, weight: 0 },
                  { destination: { host: 'web' }, weight: 100 },
                ],
              },
            ],
          },
        }),
        subset({ trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      ]),
      at('a port whose own settings have no tls', [
        web,
        service('web'),
        destinationRule('web', {
          trafficPolicy: { tls: { mode: 'DISABLE' }, portLevelSettings: [{ port: { number: 80 }, loadBalancer: {} }] },
        }),
      ]),
      at('ISTIO_MUTUAL', [
        web,
        service('web'),
        destinationRule('web', { trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }),
      ]),
      at('a subset without routes', [web, service('web'), subset({ trafficPolicy: { tls: { mode: 'DISABLE' } } })]),
      at('a namespace without clients, not exported', [
        web,
        service('web'),
        LEGACY,
        destinationRule('web.shop.svc.cluster.local', { trafficPolicy: { tls: { mode: 'DISABLE' } } }, 'legacy'),
      ]),
      at('a port that is not captured', [
        excluded,
        service('web'),
        destinationRule('web', { trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      ]),
      at('another port', [
        web,
        service('web'),
        destinationRule('web', {
          trafficPolicy: { portLevelSettings: [{ port: { number: 8080 }, tls: { mode: 'DISABLE' } }] },
        }),
      ]),
      at('PERMISSIVE', [web, service('web'), destinationRule('web', { trafficPolicy: { tls: { mode: 'DISABLE' } } })], {
        strict: null,
      }),
    ],
  },
  'destination-rule-mtls-refused': {
    found: [
      at(
        'a server that is DISABLE',
        [
          web,
          service('web'),
          peerAuthentication('shop', 'default', { mtls: { mode: 'DISABLE' } }),
          destinationRule('web', { trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }),
        ],
        { strict: null },
      ),
    ],
    notFound: [
      at(
        'PERMISSIVE',
        [web, service('web'), destinationRule('web', { trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } })],
        { strict: null },
      ),
    ],
  },
  'auto-mtls-off': {
    found: [
      at('no rule', [web, service('web')], { values: { mesh: { enableAutoMtls: false } } }),
      at('the shared mesh configuration of AKS says so', [
        web,
        service('web'),
        sharedConfig('istio-shared-configmap-default', 'enableAutoMtls: false'),
      ]),
      at("the ConfigMap that istiod's SHARED_MESH_CONFIG names says so", [
        web,
        service('web'),
        sharedConfig('ours', 'enableAutoMtls: false'),
        istiodWith('ours'),
      ]),
    ],
    notFound: [
      at(
        "the mesh's own configuration beats the shared one",
        [web, service('web'), sharedConfig('istio-shared-configmap-default', 'enableAutoMtls: false')],
        { values: { mesh: { enableAutoMtls: true } } },
      ),
      at('a ConfigMap that no istiod names', [
        web,
        service('web'),
        sharedConfig('ours', 'enableAutoMtls: false'),
        sharedConfig('broken', '{'),
      ]),
      at(
        'a rule with ISTIO_MUTUAL',
        [web, service('web'), destinationRule('web', { trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } })],
        { values: { mesh: { enableAutoMtls: false } } },
      ),
      at('automatic', [web, service('web')]),
    ],
  },
  'pod-ip-call': {
    found: [
      at('a port that the headless Service does not list', [
        web,
        service('web', { clusterIP: 'None' }),
        caller(env('TARGET_URL', 'http://web:9999')),
      ]),
      at('http to the IP of a pod', [
        web,
        runningPod('web', {}),
        service('web'),
        caller(env('TARGET_URL', 'http://10.1.0.1:8080')),
      ]),
    ],
    notFound: [
      at('a TCP port of a headless Service', [
        web,
        runningPod('web', {}),
        service('web', { clusterIP: 'None' }, { name: 'tcp', port: 8080 }),
        caller(env('TARGET', '10.1.0.1:8080')),
      ]),
      at('the name of the Service', [
        web,
        runningPod('web', {}),
        service('web'),
        caller(env('TARGET_URL', 'http://web')),
      ]),
    ],
  },
  'outbound-bypass': {
    found: [
      at('includeOutboundIPRanges without the Service', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '192.168.0.0/16' },
        }),
      ]),
      at('nothing included', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '' },
        }),
      ]),
      at('excludeOutboundPorts with the port', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80' },
        }),
      ]),
      at('excludeOutboundIPRanges with the Service', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/excludeOutboundIPRanges': '10.96.0.0/12' },
        }),
      ]),
      at('a public range, whatever address the Service gets', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '192.0.2.0/24' },
        }),
      ]),
      at('an init container beside a native sidecar', [
        web,
        service('web'),
        caller(
          {},
          {
            annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80' },
            spec: { initContainers: [{ name: 'wait', args: ['until curl http://web; do sleep 1; done'] }] },
          },
        ),
      ]),
      at("the injector's excludeOutboundPorts", [web, service('web'), caller(env('WEB_URL', 'http://web'))], {
        values: { proxy: { excludeOutboundPorts: '80' } },
      }),
      at(
        "the injector's includeIPRanges",
        [web, service('web', { clusterIP: '10.96.0.7' }), caller(env('WEB_URL', 'http://web'))],
        { values: { proxy: { includeIPRanges: '192.168.0.0/16' } } },
      ),
      at('UID 1337', [
        web,
        service('web'),
        caller({ ...env('WEB_URL', 'http://web'), securityContext: { runAsUser: 1337 } }),
      ]),
    ],
    notFound: [
      at('the Service range is included', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '10.96.0.0/12' },
        }),
      ]),
      at('the port is included, though no range is', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: {
            'traffic.sidecar.istio.io/includeOutboundIPRanges': '',
            'traffic.sidecar.istio.io/includeOutboundPorts': '80',
          },
        }),
      ]),
      at(
        "an annotation that beats the injector's values",
        [
          web,
          service('web'),
          caller(env('WEB_URL', 'http://web'), {
            annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '' },
          }),
        ],
        { values: { proxy: { excludeOutboundPorts: '80' } } },
      ),
      at('another port is excluded', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '8080' },
        }),
      ]),
      at('the server is not STRICT', [
        web,
        open,
        service('web'),
        caller(env('WEB_URL', 'http://web'), {
          annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80' },
        }),
      ]),
    ],
  },
  'outbound-bypass-possible': {
    found: [
      at('UID 1337, whatever it calls', [web, service('web'), caller({ securityContext: { runAsUser: 1337 } })]),
      at('GID 1337 of the whole pod', [
        web,
        service('web'),
        caller({}, { spec: { securityContext: { runAsGroup: 1337 } } }),
      ]),
      at('excludeOutboundPorts with the port of a Service', [
        web,
        service('web'),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '5432,80' } }),
      ]),
      at('a range without Services', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '192.168.0.0/16' } }),
      ]),
      at('the pods of a headless Service are left out', [
        web,
        service('web', { clusterIP: 'None' }),
        runningPod('web', {}),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '10.96.0.0/12' } }),
      ]),
      at('one Service is excluded', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/excludeOutboundIPRanges': '10.96.0.7/32' } }),
      ]),
    ],
    notFound: [
      at('excludeOutboundPorts with a port that no Service has', [
        web,
        service('web'),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '5432' } }),
      ]),
      at('everything', [web, service('web', { clusterIP: '10.96.0.7' }), caller({})]),
      at('a Service that leads into no sidecar is left out', [
        web,
        service('web', { clusterIP: '10.96.0.7' }),
        service('kubernetes', { clusterIP: '10.96.0.1' }),
        caller({}, { annotations: { 'traffic.sidecar.istio.io/excludeOutboundIPRanges': '10.96.0.1/32' } }),
      ]),
    ],
  },
  'sidecar-hides-service': {
    found: [
      at('egress to another namespace only', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web')),
        object('networking.istio.io/v1', 'Sidecar', 'default', { spec: { egress: [{ hosts: ['istio-system/*'] }] } }),
      ]),
    ],
    notFound: [
      at('its own namespace', [
        web,
        service('web'),
        caller(env('WEB_URL', 'http://web')),
        object('networking.istio.io/v1', 'Sidecar', 'default', { spec: { egress: [{ hosts: ['./*'] }] } }),
      ]),
    ],
  },
  'excluded-port-behind-service': {
    found: [at('an excluded port', [excluded, service('web')], { strict: null })],
    notFound: [
      at(
        'a rule says DISABLE for it',
        [
          excluded,
          service('web'),
          destinationRule('web', {
            trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }] },
          }),
        ],
        { strict: null },
      ),
      at('only the API server calls it', [excluded, tcpService, webhook()], { strict: null }),
    ],
  },
  'interception-none': {
    found: [at('NONE', [deployment('web', {}, { annotations: { 'sidecar.istio.io/interceptionMode': 'NONE' } })])],
    notFound: [
      at('TPROXY', [deployment('web', {}, { annotations: { 'sidecar.istio.io/interceptionMode': 'TPROXY' } })]),
    ],
  },
  'ipv6-not-strict': {
    found: [at('IPv4 first', [web, runningPod('web', {}, { ips: ['10.1.0.1', 'fd00::1'] })])],
    notFound: [at('IPv4 only', [web, runningPod('web', {})])],
  },
  'server-first-hangs': {
    found: [
      at('from the mesh, to a port that is not declared as TCP', [
        deployment('mail', { ports: [{ containerPort: 2526 }] }),
        service('mail', {}, { name: 'smtp', port: 2526, targetPort: 2526 }),
        caller(env('MAIL', 'mail:2526')),
      ]),
      at(
        'a port that is named for its protocol',
        [
          deployment('mail', { ports: [{ containerPort: 2526 }] }),
          service('mail', {}, { name: 'smtp', port: 2526, targetPort: 2526 }),
          ...outsider('mail.shop:2526'),
        ],
        { strict: null },
      ),
      at(
        'DISABLE, where the port is not declared as TCP',
        [
          deployment('box', { ports: [{ containerPort: 22 }] }),
          service('box', {}, { name: 'shell', port: 22, targetPort: 22 }),
          peerAuthentication('shop', 'default', { mtls: { mode: 'DISABLE' } }),
          ...outsider('box.shop:22'),
        ],
        { strict: null },
      ),
      at(
        'four bytes without a line end',
        [
          deployment('zookeeper', { ports: [{ containerPort: 2181 }] }),
          service('zookeeper', {}, { name: 'client', port: 2181, targetPort: 2181 }),
          LEGACY,
          deployment('old', { args: ['-c', 'printf ruok | nc -w 2 zookeeper.shop 2181'] }, { namespace: 'legacy' }),
        ],
        { strict: null },
      ),
      at(
        'a mesh client that passes by its sidecar',
        [
          deployment('db', { ports: [{ containerPort: 3306 }] }),
          service('db', {}, { name: 'mysql', port: 3306, targetPort: 3306 }),
          caller(env('DB', 'db:3306'), { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '3306' } }),
        ],
        { strict: null },
      ),
      at(
        'MySQL',
        [
          deployment('db', { ports: [{ containerPort: 3306 }] }),
          service('db', {}, { name: 'mysql', port: 3306, targetPort: 3306 }),
          LEGACY,
          deployment('old', env('DB_HOST', 'db.shop'), { namespace: 'legacy' }),
        ],
        { strict: null },
      ),
    ],
    notFound: [
      at('from the mesh, to a port that is declared as TCP', [
        deployment('mail', { ports: [{ containerPort: 2526 }] }),
        service('mail', {}, { name: 'smtp', appProtocol: 'tcp', port: 2526, targetPort: 2526 }),
        caller(env('MAIL', 'mail:2526')),
      ]),
      at(
        'DISABLE, where the port is declared as TCP',
        [
          deployment('db', { ports: [{ containerPort: 3306 }] }),
          service('db', {}, { name: 'mysql', port: 3306, targetPort: 3306 }),
          peerAuthentication('shop', 'default', { mtls: { mode: 'DISABLE' } }),
          ...outsider('db.shop:3306'),
        ],
        { strict: null },
      ),
      at(
        'a whole line',
        [
          deployment('zookeeper', { ports: [{ containerPort: 2181 }] }),
          service('zookeeper', {}, { name: 'client', port: 2181, targetPort: 2181 }),
          LEGACY,
          deployment('old', { args: ['-c', 'echo status | nc zookeeper.shop 2181'] }, { namespace: 'legacy' }),
        ],
        { strict: null },
      ),
      at(
        'from the mesh',
        [
          deployment('db', { ports: [{ containerPort: 3306 }] }),
          service('db', {}, { name: 'mysql', port: 3306, targetPort: 3306 }),
          caller(env('DB_HOST', 'db')),
        ],
        { strict: null },
      ),
    ],
  },
  'tls-to-http-port': {
    found: [
      at('from outside the mesh', [web, service('web'), ...outsider('https://web.shop:80')], { strict: null }),
      at('from the mesh, STRICT', [web, service('web'), caller(env('WEB_URL', 'https://web:80'))]),
      at(
        'from the mesh to a workload outside',
        [
          LEGACY,
          deployment('old', {}, { namespace: 'legacy' }),
          service('old', { namespace: 'legacy' }),
          caller(env('OLD_URL', 'https://old.legacy:80')),
        ],
        { strict: null },
      ),
    ],
    notFound: [
      at('a port declared as https', [web, tcpService, caller(env('WEB_URL', 'https://web:80'))]),
      at('plain text', [web, service('web'), caller(env('WEB_URL', 'http://web:80'))]),
      at('a port that the caller does not redirect and the server excludes', [
        excluded,
        service('web'),
        ...outsider('https://web.shop:80'),
      ]),
      at('no sidecar on either side', [
        LEGACY,
        deployment('old', {}, { namespace: 'legacy' }),
        service('old', { namespace: 'legacy' }),
        deployment('older', env('OLD_URL', 'https://old:80'), { namespace: 'legacy' }),
      ]),
    ],
  },
  'policy-selects-nothing': {
    found: [
      at(
        'a selector in the root namespace',
        [web, peerAuthentication('istio-system', 'x', { selector: { matchLabels: { app: 'web' } } })],
        { strict: null },
      ),
      at('no such label', [web, peerAuthentication('shop', 'x', { selector: { matchLabels: { app: 'nope' } } })]),
    ],
    notFound: [at('a label of the pods', [web, open])],
  },
  'policy-shadowed': {
    found: [
      at('an older one with another selector', [
        front('web'),
        aged('old', 1, { tier: 'front' }),
        aged('new', 2, { app: 'web' }),
      ]),
      at('an older one that selects some of the workloads', [
        front('web'),
        front('api'),
        aged('old', 1, { app: 'web' }),
        aged('new', 2, { tier: 'front' }),
      ]),
      at(
        'two for the namespace',
        [
          web,
          peerAuthentication('shop', 'a', { mtls: { mode: 'PERMISSIVE' } }),
          peerAuthentication('shop', 'b', { mtls: { mode: 'STRICT' } }),
        ],
        { strict: null },
      ),
    ],
    notFound: [
      at('policies of different workloads', [
        web,
        deployment('api'),
        aged('old', 1, { app: 'web' }),
        aged('new', 2, { app: 'api' }),
      ]),
      at('an older one of another revision', [
        web,
        {
          ...aged('old', 1, { app: 'web' }),
          metadata: { ...metadataOf(aged('old', 1, { app: 'web' })), labels: { 'istio.io/rev': 'canary' } },
        },
        aged('new', 2, { app: 'web' }),
      ]),
      at('one', [web, peerAuthentication('shop', 'a', { mtls: { mode: 'STRICT' } })], { strict: null }),
    ],
  },
  'port-level-unused': {
    found: [
      at('the port of the Service', [
        web,
        service('web'),
        peerAuthentication('shop', 'web', {
          selector: { matchLabels: { app: 'web' } },
          portLevelMtls: { '80': { mode: 'PERMISSIVE' } },
        }),
      ]),
    ],
    notFound: [at('the port of the container', [web, service('web'), open])],
  },
  'network-policy-blocks-tunnel': {
    found: [
      at('what the pods send', [...ambient, egressPolicy([{ ports: [{ protocol: 'UDP', port: 53 }] }])], {
        strict: null,
      }),
      at('one port only', [...ambient, networkPolicy([{ ports: [{ port: 8080 }] }])], { strict: null }),
    ],
    notFound: [
      at('everything may be sent', [...ambient, egressPolicy([{}])], { strict: null }),
      at(
        'a range of ports with the tunnel',
        [...ambient, networkPolicy([{ ports: [{ port: 15000, endPort: 15010 }] }])],
        {
          strict: null,
        },
      ),
      at('the tunnel as well', [...ambient, networkPolicy([{ ports: [{ port: 8080 }, { port: 15008 }] }])], {
        strict: null,
      }),
    ],
  },
  'network-policy-blocks-probes': {
    found: [
      at(
        "all addresses except kubelet's",
        [...ambient, networkPolicy([{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }] }])],
        { strict: null },
      ),
      at('other sources only', [...ambient, networkPolicy([{ from: [{ podSelector: {} }] }])], { strict: null }),
      at(
        "kubelet's IPv4 address, of a pod whose first address is IPv6",
        [
          ...ambient,
          runningPod('web', PROBE, { sidecar: false, ip: 'fd00::1', ips: ['fd00::1', '10.1.0.1'], namespace: 'amb' }),
          networkPolicy([{ from: [{ ipBlock: { cidr: '169.254.7.127/32' } }] }]),
        ],
        { strict: null },
      ),
    ],
    notFound: [
      at(
        "kubelet's IPv6 address, of a pod whose first address is IPv6",
        [
          ...ambient,
          runningPod('web', PROBE, { sidecar: false, ip: 'fd00::1', ips: ['fd00::1', '10.1.0.1'], namespace: 'amb' }),
          networkPolicy([{ from: [{ ipBlock: { cidr: 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128' } }] }]),
        ],
        { strict: null },
      ),
      at("kubelet's address", [...ambient, networkPolicy([{ from: [{ ipBlock: { cidr: '169.254.7.127/32' } }] }])], {
        strict: null,
      }),
    ],
  },
  // Of annotations; see test/commands/check.test.ts.
  'rewrite-left-behind': {
    found: [at('a template with a receipt', [deployment('web', {}, REWRITTEN)])],
    notFound: [
      at('our webhook is there', [deployment('web', {}, REWRITTEN), OWN_WEBHOOK]),
      at('a template without one', [web]),
    ],
  },
  'label-left-behind': {
    found: [at('a label of ours', [namespaceObject('shop', OUR_LABEL)])],
    notFound: [
      at('our webhook is there', [namespaceObject('shop', OUR_LABEL), OWN_WEBHOOK]),
      at('a label of another product', [namespaceObject('shop', { 'not-istio-onramp.io/enabled': 'true' })]),
    ],
  },
  'ignore-invalid': { found: [], notFound: [] },
}

for (const code of Object.keys(TABLE) as CodeOfCluster[]) {
  t.test(code, (t) => {
    for (const { title, objects, values, strict = 'shop' } of TABLE[code].found) {
      const findings = find(mesh(objects, values), strict)
      const mine = findings.filter((finding) => finding.code === code)
      t.not(mine.length, 0, `${title}, not only ${codes(findings).join(', ')}`)
      t.equal(new Set(findings.map(findingKey)).size, findings.length, `${title}: keys are unique`)
      for (const { message, fix, object: about } of mine) {
        t.match(message, /^[A-Z"a-z].*\.$/s, `${title}: a sentence`)
        t.not(fix, '', `${title}: a fix`)
        t.not(about.name, '', `${title}: an object`)
      }
    }
    for (const { title, objects, values, strict = 'shop' } of TABLE[code].notFound)
      t.notOk(codes(find(mesh(objects, values), strict)).includes(code), `not for: ${title}`)
    t.match(FINDINGS[code].title, /^[A-Z]/)
    t.end()
  })
}

t.test('what keeps pods from being created is named first', (t) => {
  const findings = find(mesh([deployment('web', PROBE), tcpService, webhook({}, {}, 'a'), webhook({}, FOR_PODS, 'z')]))
  t.equal(findings[0]?.code, 'webhook-blocks-pods')
  t.end()
})

t.test('no verdict is yes where a range list may leave a Service out whose address nobody gives', (t) => {
  const ranged = (container: Members) =>
    caller(container, { annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '10.0.0.0/8' } })
  t.equal(verdictOf(mesh([web, service('web'), caller({})])).verdict, 'yes')
  t.equal(verdictOf(mesh([web, service('web'), ranged({})])).verdict, 'unknown')
  const named = verdictOf(mesh([web, service('web'), ranged(env('WEB_URL', 'http://web'))]))
  t.equal(named.verdict, 'unknown')
  t.match(named.unknown[0]?.reason, 'Deployment shop/caller to web:80')
  const addressed = mesh([web, service('web', { clusterIP: '10.96.0.7' }), ranged(env('WEB_URL', 'http://web'))])
  t.equal(verdictOf(addressed).verdict, 'yes')
  t.end()
})

t.test('the way back undoes the switch: a policy of its own gets its mode back, a new one is deleted', (t) => {
  const back = (state: ReturnType<typeof mesh>) => switchOrder([verdictOf(state)]).flatMap(({ wayBack }) => wayBack)
  t.same(back(mesh([web, service('web')])), ['kubectl -n shop delete peerauthentication default'])
  t.match(back(mesh([web, service('web'), peerAuthentication('shop', 'ours', { mtls: { mode: 'PERMISSIVE' } })])), [
    /patch peerauthentication ours .*PERMISSIVE/,
  ])
  t.end()
})

t.test('the order follows the calls: a caller is restarted, and its namespace switched, before what it calls', (t) => {
  const team = (name: string, calls: string): readonly JsonObject[] => [
    namespaceObject(name, { 'istio-injection': 'enabled' }),
    deployment('app', env('NEXT_URL', calls), { namespace: name }),
    runningPod('app', env('NEXT_URL', calls), { namespace: name, sidecar: false, ip: `10.1.1.${name.length}` }),
    service('app', { namespace: name }),
    deployment('in', {}, { namespace: name }),
    service('in', { namespace: name, selector: { app: 'in' } }),
  ]
  const waves = (objects: readonly JsonObject[]) => switchOrder(verdictsOf(mesh(objects)))
  const chain = [...team('a', 'http://nobody'), ...team('bb', 'http://in.a'), ...team('ccc', 'http://in.bb')]
  t.same(
    waves(chain)
      .filter(({ title }) => title === 'after restarts')
      .map(({ namespaces, before }) => [namespaces, before]),
    [
      [['bb'], ['kubectl -n ccc rollout restart deployment/app']],
      [['a'], ['kubectl -n bb rollout restart deployment/app']],
    ],
  )
  const circle = waves([...team('a', 'http://in.bb'), ...team('bb', 'http://in.a')])
  t.same(
    circle
      .flatMap(({ namespaces }) => namespaces)
      .filter((name) => name.length < 3)
      .toSorted(),
    ['a', 'bb'],
  )
  const outside = waves([...team('a', 'http://nobody'), ...outsider('http://in.a')])
  t.ok(outside.find(({ title }) => title.startsWith('blocked'))?.namespaces.includes('a'), 'no restart helps')
  t.end()
})
