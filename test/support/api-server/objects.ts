/** Objects for the real API server, and the chart's values for a server outside the cluster. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { createSelfSigned } from '../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { HTTP_PROBE } from '../fixtures.ts'
import { release, uninstall } from './kubectl.ts'

/** The certificate of a server at 127.0.0.1, and its authority. */
export const SERVING = await createSelfSigned(['127.0.0.1'], new Date())

/** Values for a server outside the cluster at a port of this machine. */
export function serverAt(port: number, changes: JsonObject = {}): JsonObject {
  const certificates = { mode: 'existingSecret', existingSecret: { name: 'tls', caBundle: SERVING.ca } }
  const webhooks = { url: `https://127.0.0.1:${port}`, ...(changes['webhooks'] as JsonObject | undefined) }
  return { certificates, replicas: 0, ...changes, webhooks }
}

/** New configurations take up to 400 ms to be seen by the API server, a policy half a second. */
export async function install(t: Test, values: JsonObject): Promise<void> {
  t.teardown(() => uninstall())
  release('install', values)
  await sleep(1500)
}

const CONTAINER = { name: 'app', image: 'example.org/app:1' }
export const PROBED = { ...CONTAINER, livenessProbe: HTTP_PROBE }
export const HOOKED = { ...CONTAINER, lifecycle: { preStop: { exec: { command: ['true'] } } } }

function object(
  apiVersion: string,
  kind: string,
  name: string,
  spec: JsonObject,
  metadata: JsonObject = {},
): JsonObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, spec }
}

export function pod(name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return object('v1', 'Pod', name, { containers: [CONTAINER], ...spec }, metadata)
}

export function workload(
  apiVersion: string,
  kind: string,
  name: string,
  metadata: JsonObject = {},
  image = 'a:1',
): JsonObject {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ ...CONTAINER, image }] } }
  const selector = kind === 'ReplicationController' ? labels : { matchLabels: labels }
  const more = kind === 'StatefulSet' ? { serviceName: name } : {}
  return object(apiVersion, kind, name, { selector, template, ...more }, metadata)
}

export function job(kind: 'Job' | 'CronJob', name: string, image = 'a:1', schedule = '* * * * *'): JsonObject {
  const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ ...CONTAINER, image }] } } }
  return object('batch/v1', kind, name, kind === 'Job' ? spec : { schedule, jobTemplate: { spec } })
}

export const OWNED = {
  ownerReferences: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'web',
      uid: '00000000-0000-0000-0000-000000000001',
      controller: true,
    },
  ],
}

export function backend(service: string): JsonObject {
  return { service: { name: service, port: { number: 80 } } }
}

export function route(service: string, path: string | undefined = '/', pathType = 'Prefix'): JsonObject {
  return {
    host: 'shop.example.com',
    http: { paths: [{ ...(path === undefined ? {} : { path }), pathType, backend: backend(service) }] },
  }
}

export function ingress(namespace: string, name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, ...metadata },
    spec: { rules: [route('web')], ...spec },
  }
}

export const CHALLENGE = '/.well-known/acme-challenge/token'

export function solver(namespace: string, name: string, spec: JsonObject): JsonObject {
  const labels = { 'acme.cert-manager.io/http01-solver': 'true' }
  return ingress(namespace, name, { rules: [route('cm-acme', CHALLENGE, 'Exact')], ...spec }, { labels })
}
