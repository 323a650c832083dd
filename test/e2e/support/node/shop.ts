/**
 * An application of many workloads, made of hack/prober/probed.go and hack/check/application.go: probes of every kind, hooks,
 * an admission webhook of its own, a DestinationRule, clients that keep to the mesh, go past it and stand outside of it.
 * Half of it breaks under STRICT, for a reason each; the other half looks much the same and does not.
 */
import type { SelfSigned } from '../../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { ALIVE, buildersOf, HTTP, READY, SLOWLY } from './builders.ts'

export const SHOP = 'shop'
export const LEGACY = 'legacy'
export const NODE_PORT = 30080

/** Pods have no DNS: names come from their hosts file. */
const ADDRESSES: Readonly<Record<string, string>> = {
  api: '10.96.77.1',
  ported: '10.96.77.2',
  ruled: '10.96.77.3',
  gate: '10.96.77.4',
  open: '10.96.77.5',
  old: '10.96.77.6',
}

const { server, client, application, service } = buildersOf(SHOP, ADDRESSES)

/**
 * | workload  | under STRICT                                                                                    |
 * |-----------|-------------------------------------------------------------------------------------------------|
 * | web       | startup, readiness and liveness probe fail                                                      |
 * | secure    | the https readiness probe fails                                                                 |
 * | health    | the grpc liveness probe fails                                                                   |
 * | hooks     | postStart and preStop fail                                                                      |
 * | agent     | nothing: Istio serves its probes                                                                |
 * | excluded  | nothing: the port is not redirected                                                             |
 * | ported    | nothing: its port is PERMISSIVE                                                                 |
 * | commanded | nothing: exec                                                                                   |
 * | counted   | nothing breaks: a tcpSocket probe always passes                                                 |
 * | api       | nothing of its own: callers break                                                               |
 * | store     | nothing: a headless Service                                                                     |
 * | ruled     | nothing of its own: a DestinationRule breaks its mesh clients                                   |
 * | open      | what comes through its node port                                                                |
 * | gate      | the API server cannot call its webhook                                                          |
 * | old       | outside of the mesh                                                                             |
 */
export function servers({ cert, key }: SelfSigned): readonly JsonObject[] {
  const http = ['http=8080']
  const probes = { readinessProbe: READY, livenessProbe: ALIVE }
  return [
    server('web', http, { container: { ...probes, startupProbe: { ...READY, failureThreshold: 30 } } }),
    server('secure', ['https=8443'], {
      container: { readinessProbe: { httpGet: { path: '/ready', port: 8443, scheme: 'HTTPS' }, ...SLOWLY } },
    }),
    server('health', ['grpc=9000'], { container: { livenessProbe: { grpc: { port: 9000 }, ...SLOWLY } } }),
    server('hooks', http, {
      container: {
        lifecycle: {
          postStart: { httpGet: { path: '/started', port: 8080 } },
          preStop: { httpGet: { path: '/stopping', port: 8080 } },
        },
      },
    }),
    server('agent', http, { annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'true' }, container: probes }),
    server('excluded', http, {
      annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' },
      container: probes,
    }),
    server('ported', http, { container: probes }),
    server('commanded', http, {
      container: { livenessProbe: { exec: { command: ['/bin/sh', '-c', 'exit 0'] }, ...SLOWLY } },
    }),
    server('counted', ['tcp=7000'], { container: { readinessProbe: { tcpSocket: { port: 7000 }, ...SLOWLY } } }),
    server('api', ['http=8080', 'http=9090']),
    server('store', http),
    server('ruled', http),
    server('open', http),
    server('old', http, { namespace: LEGACY }),
    application('gate', ['webhook=9443'], {
      container: {
        env: [
          { name: 'CERTIFICATE', value: cert },
          { name: 'KEY', value: key },
        ],
      },
    }),
    service('api', [HTTP]),
    service('ported', [{ ...HTTP, port: 80, targetPort: 8080 }]),
    service('ruled', [HTTP]),
    service('store', [HTTP]),
    service('open', [{ ...HTTP, nodePort: NODE_PORT }], { type: 'NodePort' }),
    service('gate', [{ name: 'https', port: 443, targetPort: 9443 }]),
    service('old', [HTTP], {}, LEGACY),
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'ruled', namespace: SHOP },
      spec: { host: 'ruled', trafficPolicy: { tls: { mode: 'DISABLE' } } },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'ported', namespace: SHOP },
      spec: { selector: { matchLabels: { app: 'ported' } }, portLevelMtls: { '8080': { mode: 'PERMISSIVE' } } },
    },
  ]
}

/**
 * | client      | calls                                                                  | under STRICT |
 * |-------------|------------------------------------------------------------------------|--------------|
 * | client      | Services of the mesh, a headless one, one outside                      | works        |
 * | tolerated   | the PERMISSIVE port, from outside                                      | works        |
 * | scraper     | port 15020 of a sidecar, from outside                                  | works        |
 * | outside     | a Service, from outside                                                | breaks       |
 * | prometheus  | the metrics port of a pod, from outside                                | breaks       |
 * | ruled-by    | the Service of the DestinationRule                                     | breaks       |
 * | by-port     | a Service on a port that its own sidecar leaves out                    | breaks       |
 * | by-range    | a Service that its own sidecar's ranges leave out                      | breaks       |
 * | by-user     | a Service, as the user of the proxy                                    | breaks       |
 * | by-address  | a pod by its address                                                   | breaks       |
 */
export function clients(apiPod: string, storePod: string): readonly JsonObject[] {
  const traffic = 'traffic.sidecar.istio.io/'
  const api = 'http://api:8080/'
  return [
    client('client', [api, 'http://store:8080/', 'http://old:8080/', 'http://ported/'], {
      aliases: { store: storePod },
    }),
    client('tolerated', ['http://ported/'], { namespace: LEGACY }),
    client('scraper', [`http://${apiPod}:15020/stats/prometheus`], { namespace: LEGACY }),
    client('outside', [api.replace('api', 'api.shop')], {
      namespace: LEGACY,
      aliases: { 'api.shop': ADDRESSES['api'] ?? '' },
    }),
    client('prometheus', [`http://${apiPod}:9090/metrics`], { namespace: LEGACY }),
    client('ruled-by', ['http://ruled:8080/']),
    client('by-port', [api], { annotations: { [`${traffic}excludeOutboundPorts`]: '8080' } }),
    client('by-range', [api], { annotations: { [`${traffic}includeOutboundIPRanges`]: '192.0.2.0/24' } }),
    client('by-user', [api], { container: { securityContext: { runAsUser: 1337 } } }),
    client('by-address', [`http://${apiPod}:8080/`]),
  ]
}

export function webhook({ ca }: SelfSigned): JsonObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'gate' },
    webhooks: [
      {
        name: 'gate.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 5,
        clientConfig: {
          service: { name: 'gate', namespace: SHOP, path: '/validate' },
          caBundle: Buffer.from(ca).toString('base64'),
        },
        objectSelector: { matchLabels: { gate: 'asks' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      },
    ],
  }
}

/** What the webhook is asked about. */
export const ASKED: JsonObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'asked', namespace: SHOP, labels: { gate: 'asks' } },
}
