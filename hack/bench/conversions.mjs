// What it costs to convert Ingresses, and what a denial adds to a review.
import { execFileSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { buildClusterState } from '../../dist/cluster/cluster-state.js'
import { DEFAULT_GATEWAY } from '../../dist/conversion/model/conversion-options.js'
import { convertIngresses } from '../../dist/conversion/convert-ingresses.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { ingressRule } from '../../dist/rules/ingress/ingress-rule.js'
import { median } from './decisions.mjs'

const ROUNDS = 5
const REVIEWS = 1000

/** Each size in a process of its own, so that its memory is its own. */
export function benchConversions() {
  console.log('\nConverting Ingresses of 10 rules, each size in a process of its own')
  let floor
  for (const target of ['istio', 'gateway-api'])
    for (const count of [100, 1000]) {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), target, String(count)], {
        encoding: 'utf8',
      })
      const { milliseconds, mebibytes } = JSON.parse(output)
      floor ??= milliseconds / count
      console.log(
        `  ${`${count} to ${target}`.padEnd(36)} ${milliseconds.toFixed(0).padStart(6)} ms   x${(milliseconds / count / floor).toFixed(2)} an Ingress   ${mebibytes.toFixed(0)} MiB resident`,
      )
    }
  benchDenials()
}

function benchDenials() {
  const space = (labels) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } })
  const contextOf = (labels) => ({ mesh: buildClusterState([space(labels)]).state, configuration: DEFAULT_RULES })
  const [object] = ingresses(1, 'shop')
  const request = {
    operation: 'CREATE',
    reference: { apiVersion: object.apiVersion, kind: 'Ingress', namespace: 'shop', name: object.metadata.name },
    object,
    oldObject: undefined,
    user: '',
  }
  const [allowed, denied] = [{}, { 'istio-injection': 'enabled' }].map(contextOf)
  const times = { allowed: [], denied: [] }
  for (let round = 0; round < ROUNDS; round++) {
    times.allowed.push(timeReviews(request, allowed))
    times.denied.push(timeReviews(request, denied))
  }
  const added = median(times.denied) - median(times.allowed)
  console.log(
    `  a denial with its YAML adds to a review ${added.toFixed(2)} ms (x${(median(times.denied) / median(times.allowed)).toFixed(0)} of one that is admitted)`,
  )
}

function timeReviews(request, context) {
  const started = performance.now()
  for (let count = 0; count < REVIEWS; count++) ingressRule.apply(request, context)
  return (performance.now() - started) / REVIEWS
}

function ingresses(count, namespace) {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: namespace ?? `ns-${index % 50}`,
      name: `web-${index}`,
      annotations: {
        'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
        'nginx.ingress.kubernetes.io/enable-cors': 'true',
      },
    },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: hostsOf(index), secretName: `tls-${index}` }],
      rules: hostsOf(index).map((host) => ({ host, http: { paths: [pathOf('/api', 'api'), pathOf('/', 'web')] } })),
    },
  }))
}

function hostsOf(index) {
  return Array.from({ length: 10 }, (_, host) => `h${host}.web-${index}.example.com`)
}

function pathOf(path, service) {
  return { path, pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , target, count] = process.argv
  const objects = ingresses(Number(count))
  const options = { target, gateway: DEFAULT_GATEWAY, portNumber: () => undefined, controllerOf: () => undefined }
  const started = performance.now()
  convertIngresses(objects, options)
  const milliseconds = performance.now() - started
  console.log(JSON.stringify({ milliseconds, mebibytes: process.memoryUsage.rss() / 1024 / 1024 }))
}
