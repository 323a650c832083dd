// What it costs to convert Ingresses, and what a denial adds to a review.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { buildClusterState } from '../../dist/cluster/cluster-state.js'
import { DEFAULT_GATEWAY } from '../../dist/conversion/model/conversion-options.js'
import { convertIngresses } from '../../dist/conversion/convert-ingresses.js'
import { DEFAULT_RULES } from '../../dist/rules/configuration.js'
import { ingressRule } from '../../dist/rules/ingress/ingress-rule.js'
import { median } from './decisions.mjs'

const SELF = fileURLToPath(import.meta.url)
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const TIME = '/usr/bin/time'
const ROUNDS = 5
const REVIEWS = 1000

/** Each size in a process of its own, so that its memory is its own. */
export function benchConversions() {
  console.log('\nConverting Ingresses of 10 rules, each size in a process of its own (x: of parsing their JSON)')
  let floor
  for (const target of ['istio', 'gateway-api'])
    for (const count of [100, 1000, 4000]) {
      const output = execFileSync(process.execPath, [SELF, target, String(count)], { encoding: 'utf8' })
      const { milliseconds, parsing, mebibytes } = JSON.parse(output)
      floor ??= milliseconds / count
      console.log(
        `  ${`${count} to ${target}`.padEnd(36)} ${milliseconds.toFixed(0).padStart(6)} ms   x${(milliseconds / parsing).toFixed(0)}   x${(milliseconds / count / floor).toFixed(2)} an Ingress   ${mebibytes.toFixed(0)} MiB resident`,
      )
    }
  benchPrinting()
  benchDenials()
}

/**
 * The command line from a JSON file to YAML, Ingresses of one rule, against ingress2gateway if it is in PATH
 * (go install github.com/kubernetes-sigs/ingress2gateway@v1.1.0).
 */
function benchPrinting() {
  console.log(
    '\nFrom a file of Ingresses of one rule to YAML, the fastest of 3 (aims: ingress2gateway; 250 MiB for 4000)',
  )
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-bench-'))
  try {
    for (const count of [1000, 4000]) {
      const file = join(folder, `${count}.json`)
      const items = ingresses(count, undefined, 1)
      writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
      const ours = [CLI, 'convert', '--to', 'gateway-api', '--fail-on', 'never', '-f', file]
      printRow(`${count}: convert --to gateway-api`, fastest(process.execPath, ours))
      const theirs = fastest('ingress2gateway', ['print', '--providers=ingress-nginx', '-A', '--input-file', file])
      if (theirs === undefined) console.log(`  ${`${count}: ingress2gateway`.padEnd(36)}  not in PATH`)
      else printRow(`${count}: ingress2gateway`, theirs)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function printRow(name, { milliseconds, mebibytes }) {
  console.log(`  ${name.padEnd(36)} ${milliseconds.toFixed(0).padStart(6)} ms   ${mebibytes.toFixed(0)} MiB at most`)
}

/** Undefined if there is no such program. Throws if it fails. */
function fastest(program, args) {
  const runs = Array.from({ length: 3 }, () => timed(program, args))
  return runs.toSorted((left, right) => left?.milliseconds - right?.milliseconds)[0]
}

/** GNU time knows the memory of a child; without it the memory is NaN. */
function timed(program, args) {
  const file = join(tmpdir(), `istio-onramp-bench-${process.pid}.memory`)
  const wrapped = existsSync(TIME) ? [TIME, '-f', '%M', '-o', file, program, ...args] : [program, ...args]
  const started = performance.now()
  const { error, status } = spawnSync(wrapped[0], wrapped.slice(1), { stdio: 'ignore' })
  const milliseconds = performance.now() - started
  if (error?.code === 'ENOENT' || status === 127) return undefined
  if (status !== 0) throw new Error(`${program} ends with ${status}`)
  const memory = existsSync(file) ? readFileSync(file, 'utf8') : ''
  rmSync(file, { force: true })
  return { milliseconds, mebibytes: Number.parseInt(memory, 10) / 1024 }
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

function ingresses(count, namespace, rules = 10) {
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
      tls: [{ hosts: hostsOf(index, rules), secretName: `tls-${index}` }],
      rules: hostsOf(index, rules).map((host) => ({
        host,
        http: { paths: [pathOf('/api', 'api'), pathOf('/', 'web')] },
      })),
    },
  }))
}

function hostsOf(index, rules) {
  return Array.from({ length: rules }, (_, host) => `h${host}.web-${index}.example.com`)
}

function pathOf(path, service) {
  return { path, pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } }
}

if (process.argv[1] === SELF) {
  const [, , target, count] = process.argv
  const text = JSON.stringify(ingresses(Number(count)))
  JSON.parse(text)
  const begun = performance.now()
  const objects = JSON.parse(text)
  const parsing = performance.now() - begun
  const options = { target, gateway: DEFAULT_GATEWAY, portNumber: () => undefined, controllerOf: () => undefined }
  const started = performance.now()
  convertIngresses(objects, options)
  const milliseconds = performance.now() - started
  console.log(JSON.stringify({ milliseconds, parsing, mebibytes: process.memoryUsage.rss() / 1024 / 1024 }))
}
