/**
 * A second application, of the shapes that the shop has not: a StatefulSet behind a headless Service, a DaemonSet of the
 * host's network, a Job, a sidecar among the init containers, AuthorizationPolicies of every kind, modes of single ports, a
 * Sidecar, subsets, an aggregated API, a protocol in which the server speaks first. Some of it fails before the switch.
 */
import type { SelfSigned } from '../../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { ALIVE, buildersOf, HTTP, PATIENTLY, probedSidecar, READY, SLOWLY } from './builders.ts'

export const LAB = 'lab'
export const OUT = 'out'
export const LAB_NODE_PORT = 30081
export const API_SERVICE = 'v1.lab.example.com'

const ADDRESSES: Readonly<Record<string, string>> = {
  api: '10.96.78.1',
  sidelong: '10.96.78.2',
  forgiven: '10.96.78.3',
  split: '10.96.78.4',
  plainly: '10.96.78.5',
  greeter: '10.96.78.6',
  gate: '10.96.78.7',
  entered: '10.96.78.8',
}
const { server, client, application, service } = buildersOf(LAB, ADDRESSES)
const WEB = ['http=8080']
const ALIVE_PATIENTLY = { httpGet: { path: '/alive', port: 8080 }, ...PATIENTLY }
const EXCLUDED = { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } }

/**
 * | workload | before                                              | under STRICT                                      |
 * |----------|-----------------------------------------------------|---------------------------------------------------|
 * | ledger   |                                                     | startup (named port), liveness, grpc readiness fail |
 * | hostly   |                                                     | nothing: the host's network is outside of the mesh |
 * | batch    |                                                     | the Job's liveness probe fails                    |
 * | native   |                                                     | the probes of its init container fail             |
 * | guarded  | liveness fails: only principals are allowed         | likewise                                          |
 * | denied   | liveness fails: its path is denied                  | likewise                                          |
 * | bytes    | liveness fails: paths allow nothing on a TCP port   | likewise                                          |
 * | opened   |                                                     | liveness fails, though its path is allowed        |
 * | hooked   | its hooks succeed, 403 is an answer                 | both hooks fail                                   |
 * | mixed    | liveness fails: its port is STRICT                  | likewise; the readiness port stays PERMISSIVE     |
 * | entered  |                                                     | what comes through its node port                  |
 * | gate     |                                                     | the aggregated API                                |
 */
export function labServers({ cert, key }: SelfSigned): readonly JsonObject[] {
  return [
    server('ledger', ['http=8080', 'http=7000', 'grpc=9000'], {
      kind: 'StatefulSet',
      container: {
        ports: [{ name: 'web', containerPort: 8080 }],
        startupProbe: { httpGet: { path: '/ready', port: 'web' }, ...SLOWLY, failureThreshold: 30 },
        livenessProbe: ALIVE,
        readinessProbe: { grpc: { port: 9000 }, ...SLOWLY },
      },
    }),
    server('hostly', ['http=18080'], {
      kind: 'DaemonSet',
      spec: { hostNetwork: true },
      container: { livenessProbe: { httpGet: { path: '/alive', port: 18080, host: '127.0.0.1' }, ...SLOWLY } },
    }),
    server('batch', WEB, { kind: 'Job', container: { livenessProbe: ALIVE } }),
    server('native', WEB, {
      spec: {
        initContainers: [
          probedSidecar('side', ['http=9100'], {
            startupProbe: { httpGet: { path: '/ready', port: 9100 }, ...SLOWLY, failureThreshold: 30 },
            livenessProbe: { httpGet: { path: '/alive', port: 9100 }, ...SLOWLY },
          }),
        ],
      },
    }),
    ...['guarded', 'denied', 'bytes', 'opened'].map((name) =>
      server(name, WEB, { container: { livenessProbe: ALIVE_PATIENTLY } }),
    ),
    server('hooked', WEB, {
      container: {
        lifecycle: {
          postStart: { httpGet: { path: '/started', port: 8080 } },
          preStop: { httpGet: { path: '/stopping', port: 8080 } },
        },
      },
    }),
    server('mixed', ['http=8080', 'http=9090'], {
      container: {
        readinessProbe: READY,
        livenessProbe: { httpGet: { path: '/alive', port: 9090 }, ...PATIENTLY },
      },
    }),
    server('api', WEB),
    server('sidelong', WEB, EXCLUDED),
    server('forgiven', WEB, EXCLUDED),
    server('split', WEB),
    server('plainly', WEB),
    server('entered', WEB),
    application('greeter', ['greet=7100', 'greet=7200']),
    application('gate', ['webhook=9443'], {
      container: {
        env: [
          { name: 'CERTIFICATE', value: cert },
          { name: 'KEY', value: key },
        ],
      },
    }),
    service('ledger', [HTTP, { name: 'tcp-entries', port: 7000 }]),
    service('bytes', [{ name: 'tcp', port: 8080 }]),
    ...['api', 'sidelong', 'forgiven', 'split', 'plainly'].map((name) => service(name, [HTTP])),
    service('greeter', [
      { name: 'smtp', port: 7100 },
      { name: 'tcp-smtp', port: 7200 },
    ]),
    service('entered', [{ ...HTTP, nodePort: LAB_NODE_PORT }], { type: 'NodePort' }),
    service('gate', [{ name: 'https', port: 443, targetPort: 9443 }]),
    ...policies(),
  ]
}

function policies(): readonly JsonObject[] {
  const path = { to: [{ operation: { paths: ['/alive'] } }] }
  const principals = { from: [{ source: { principals: ['*'] } }] }
  return [
    istio('security', 'AuthorizationPolicy', 'guarded', { rules: [principals] }),
    istio('security', 'AuthorizationPolicy', 'opened', { rules: [principals, path] }),
    istio('security', 'AuthorizationPolicy', 'denied', { action: 'DENY', rules: [path] }),
    istio('security', 'AuthorizationPolicy', 'bytes', { rules: [path] }),
    istio('security', 'AuthorizationPolicy', 'hooked', {}),
    istio('security', 'PeerAuthentication', 'plainly', { mtls: { mode: 'DISABLE' } }),
    istio('security', 'PeerAuthentication', 'mixed', {
      portLevelMtls: { '8080': { mode: 'PERMISSIVE' }, '9090': { mode: 'STRICT' } },
    }),
    rule('plainly', { trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }),
    rule('forgiven', { trafficPolicy: { portLevelSettings: [{ port: { number: 8080 }, tls: { mode: 'DISABLE' } }] } }),
    rule('split', {
      subsets: [{ name: 'one', labels: { app: 'split' }, trafficPolicy: { tls: { mode: 'DISABLE' } } }],
    }),
    networking('VirtualService', 'split', {
      hosts: ['split'],
      http: [{ route: [{ destination: { host: 'split', subset: 'one' } }] }],
    }),
    networking('Sidecar', 'scoped', {
      workloadSelector: { labels: { app: 'scoped' } },
      egress: [{ hosts: ['istio-system/*'] }],
    }),
  ]
}

/** A policy of the workload that has its name. */
function istio(group: string, kind: string, name: string, spec: JsonObject): JsonObject {
  const selector = { matchLabels: { app: name } }
  return { apiVersion: `${group}.istio.io/v1`, kind, metadata: { name, namespace: LAB }, spec: { selector, ...spec } }
}

function networking(kind: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: LAB }, spec }
}

function rule(host: string, spec: JsonObject): JsonObject {
  return networking('DestinationRule', host, { host, ...spec })
}

/**
 * | client       | calls                                                             | before | under STRICT |
 * |--------------|-------------------------------------------------------------------|--------|--------------|
 * | within       | a Service; the headless one by a pod's name and, by TCP, address  | works  | works        |
 * | by-http      | a pod of the headless Service by its address, HTTP                | works  | breaks       |
 * | to-sidelong  | a port that the server leaves out of its sidecar                  | breaks | breaks       |
 * | to-forgiven  | likewise, with a DestinationRule that knows                       | works  | works        |
 * | to-split     | a subset with DISABLE, by a route                                 | works  | breaks       |
 * | to-plainly   | a workload with DISABLE, by a rule with ISTIO_MUTUAL              | breaks | breaks       |
 * | scoped       | a Service that its Sidecar leaves out                             | works  | breaks       |
 * | greeted-in   | a server that speaks first, from the mesh, port not declared      | breaks | breaks       |
 * | greeted-tcp  | likewise, port declared as TCP                                    | works  | works        |
 * | greeted-out  | the same, from outside                                            | breaks | breaks       |
 * | around       | a node port, from the mesh                                        | works  | breaks       |
 * | outside      | a Service, from outside                                           | works  | breaks       |
 * | to-excluded  | a port that the server leaves out, from outside                   | works  | works        |
 */
export function labClients(ledgerPod: string): readonly JsonObject[] {
  const api = 'http://api:8080/'
  const outside = {
    namespace: OUT,
    aliases: { 'api.lab': ADDRESSES['api'] ?? '', 'sidelong.lab': ADDRESSES['sidelong'] ?? '' },
  }
  return [
    client('within', [api, 'http://ledger-0.ledger:8080/', `${ledgerPod}:7000`], {
      aliases: { 'ledger-0.ledger': ledgerPod },
    }),
    client('by-http', [`http://${ledgerPod}:8080/`]),
    client('to-sidelong', ['http://sidelong:8080/']),
    client('to-forgiven', ['http://forgiven:8080/']),
    client('to-split', ['http://split:8080/']),
    client('to-plainly', ['http://plainly:8080/']),
    client('scoped', [api]),
    client('greeted-in', ['greeted=greeter:7100']),
    client('greeted-tcp', ['greeted=greeter:7200']),
    client('greeted-out', [`greeted=${ADDRESSES['greeter'] ?? ''}:7100`], outside),
    client('around', [`http://10.88.0.1:${LAB_NODE_PORT}/`]),
    client('outside', ['http://api.lab:8080/'], outside),
    client('to-excluded', ['http://sidelong.lab:8080/'], outside),
  ]
}

export function apiService({ ca }: SelfSigned): JsonObject {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: API_SERVICE },
    spec: {
      group: 'lab.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      service: { name: 'gate', namespace: LAB },
      caBundle: Buffer.from(ca).toString('base64'),
    },
  }
}
