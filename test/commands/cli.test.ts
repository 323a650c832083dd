// The command line as a person meets it: the built binary, real files, its output and its exit codes.
import { execFile, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse as parseYaml, parseAllDocuments } from 'yaml'
import { runCommandLine } from '../../src/command-line.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { startFakeApiServer } from '../support/fake-api-server.ts'
import { writeKubeconfig } from '../support/kubeconfig.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url))

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

// Without a kubeconfig, whatever the person who runs the tests has.
process.env['HOME'] = '/nonexistent'
delete process.env['KUBECONFIG']

/** In this process: a start of Node for each line of these tests took half a minute. */
async function run(args: readonly string[], input = ''): Promise<Result> {
  const written = { stdout: '', stderr: '' }
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin')
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true })
  try {
    const code = await runCommandLine(args, {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    })
    return { code, ...written }
  } finally {
    if (stdin !== undefined) Object.defineProperty(process, 'stdin', stdin)
  }
}

/** As a person starts it. */
async function start(args: readonly string[], input = ''): Promise<Result> {
  return await new Promise((resolve) => {
    const options = { timeout: 60_000, env: { PATH: process.env['PATH'], HOME: '/nonexistent' } }
    const child = execFile(process.execPath, [CLI, ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
    child.stdin?.end(input)
  })
}

const POD =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, annotations: {istio-onramp.io/probes: exec}}\nspec:\n  containers:\n  - name: web # the one\n    livenessProbe:\n      # measured: not below ten\n      periodSeconds: 10\n      httpGet: {path: /healthz, port: 8080}\n'

t.test('every command has its help, and the program its version', async (t) => {
  for (const args of [
    ['--help'],
    ['serve', '--help'],
    ['preview', '--help'],
    ['convert', '--help'],
    ['restore', '--help'],
  ]) {
    const { code, stdout, stderr } = await run(args)
    t.same([code, stderr], [0, ''], args.join(' '))
    t.match(stdout, `Usage: istio-onramp${args[0] === '--help' ? ' [options]' : ` ${args[0] ?? ''}`}`)
  }
  t.match(await run(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('the built command takes its input from a pipe, and exits with the code', async (t) => {
  const previewed = await start(['preview', '-f', '-', '--from', `${EXAMPLES}/cluster`, '-o', 'yaml'], POD)
  t.match(previewed, { code: 0, stderr: '', stdout: /istio-onramp-prober/ })
  t.match(await start(['preview', '-f', '-', '--from', '/none'], POD), {
    code: 2,
    stdout: '',
    stderr: /^error: \/none: no such file or folder \[istio-onramp\/manifest-unreadable\]\n$/,
  })
})

t.test('preview says what exec probes cost, once for each workload with its replicas, and in all', async (t) => {
  const workload = (name: string, replicas: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop, annotations: {}}
spec:
  ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {istio-onramp.io/probes: exec}}
    spec:
      containers:
        - name: web
          image: web
          livenessProbe: {httpGet: {port: 8080}, periodSeconds: 5}
          startupProbe: {httpGet: {port: 8080}, periodSeconds: 1}
---
`
  const preview = async (input: string) =>
    (await run(['preview', '-f', '-', '--from', `${EXAMPLES}/cluster`], input)).stdout.replace(/\n +/g, ' ')
  const one = await preview(workload('a', 'replicas: 3'))
  t.match(one, /  ?1 exec probe: 1\.3 s of node CPU per minute at these periods and 3 replicas; 65 ms if Istio's agent/)
  t.notMatch(one, /in all/, 'one workload has no sum')
  const two = await preview(workload('a', 'replicas: 3') + workload('b', ''))
  t.match(two, /^in all, 2 exec probes: 1\.7 s of node CPU per minute at these periods; 86 ms/m)
  t.match(two, /1 exec probe: 0\.4 s of node CPU per minute at these periods; 22 ms/)
})

t.test('names that every JavaScript object inherits are ordinary names in manifests', async (t) => {
  for (const name of ['toString', 'constructor', '__proto__']) {
    const text = `{apiVersion: v1, kind: ${name}, metadata: {name: x}}\n---\n{apiVersion: ${name}/v1, kind: Foo, metadata: {name: z}}\n`
    const file = `${t.testdir({ 'odd.yaml': text })}/odd.yaml`
    const previewed = await run(['preview', '-f', file, '--from', `${EXAMPLES}/cluster`])
    t.match(previewed, { code: 0, stdout: /^2 objects/ }, `preview of ${name}: ${previewed.stderr}`)
    t.match(await run(['restore', '-f', file]), { code: 0 }, `restore of ${name}`)
    t.match(await run(['check', '--from', file]), { code: 0 }, `check of ${name}`)
  }
})

t.test('usage errors are exit 2 and name what is wrong', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /Usage: istio-onramp/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['preview'], /required option '-f, --filename <path>' not specified/],
    [['preview', '-f', 'x', '--nonsense'], /unknown option '--nonsense'/],
    [['preview', '-f', 'x', '-o', 'xml'], /Allowed choices are text, json, yaml/],
    [['preview', '-f', 'x'], /no cluster: there is no kubeconfig .*\. Set KUBECONFIG, or give manifests: --from PATH/],
    [
      ['preview', '-f', 'x', '--from', 'y', '--context', 'z'],
      /'--context <name>' cannot be used with option '--from <path>'/,
    ],
    [['serve', '--from', EXAMPLES], /--tls-cert FILE with --tls-key FILE, or --tls-self-managed, or --tls-self-signed/],
    [['serve', '--from', EXAMPLES, '--tls-self-managed'], /--tls-self-managed needs a cluster, .* with --from/],
    [['serve', '--tls-self-managed', '--tls-self-signed'], /or --tls-self-managed, or/],
    [['serve', '--tls-self-managed', '--tls-cert', 'a', '--tls-key', 'b'], /or --tls-self-managed, or/],
    [['serve', '--tls-self-managed', '--tls-ca-out', 'a'], /or --tls-self-managed, or/],
    [['serve', '--from', EXAMPLES, '--tls-cert', 'a'], /--tls-cert FILE with --tls-key FILE/],
    [['serve', '--from', EXAMPLES, '--tls-self-signed', '--listen', 'nowhere'], /HOST:PORT is expected/],
    [['serve', '--from', EXAMPLES, '--tls-self-signed', '--config', '/none.yaml'], /\/none\.yaml: /],
    [['serve', '--from', `${EXAMPLES}/cluster`, '--tls-cert', '/none', '--tls-key', '/none'], /\/none/],
    [['convert'], /no cluster: there is no kubeconfig .* for convert -f PATH/],
    [['convert', '-f', 'x', '--context', 'y'], /'--context <name>' cannot be used with option '-f, --filename <path>'/],
    [['convert', '-f', '/none.yaml'], /^error: \/none\.yaml: no such file or folder/],
    [['convert', '-f', EXAMPLES, '--to', 'nginx'], /Allowed choices are istio, gateway-api/],
    [['convert', '-f', EXAMPLES, '--fail-on', 'info'], /Allowed choices are error, warn, never/],
    [['convert', '-f', EXAMPLES, '--gateway', 'public'], /NAMESPACE\/NAME is expected/],
    [['convert', '-f', EXAMPLES, '--report', '/none/report.json'], /^error: --report \/none\/report\.json: /],
    [['check', '-o', 'pdf'], /FORMAT or FORMAT=FILE is expected; formats are text, json, junit, sarif/],
    [['check', '--explain', 'nope'], /"nope" is not a finding code; codes are probe-fails,/],
    [['check', '--fail-on-new'], /--fail-on-new needs --baseline FILE/],
  ]
  for (const [args, text] of cases) {
    const { code, stderr } = await run(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, text)
  }
})

t.test('unreadable input is exit 2, and every problem is named at once', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'kind: [', 'b.yaml': 'apiVersion: v1\n' })
  const { code, stdout, stderr } = await run(['preview', '-f', folder, '--from', `${EXAMPLES}/cluster`])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /error: .*a\.yaml, document 1, line 1: .*\nerror: .*b\.yaml, document 1, line 1: kind: required/)
})

t.test('preview -o json is one element for each object, in input order, with the contract’s members', async (t) => {
  const { code, stdout } = await run([
    'preview',
    '-f',
    `${EXAMPLES}/workloads`,
    '--from',
    `${EXAMPLES}/cluster`,
    '-o',
    'json',
  ])
  t.equal(code, 1, 'an Ingress is denied')
  const entries = JSON.parse(stdout) as readonly (JsonObject & {
    object: JsonObject
    decisions: readonly JsonObject[]
    patch: readonly JsonObject[]
  })[]
  const kinds = entries.map(
    ({ object }) => `${String(object['kind'])} ${String(object['namespace'])}/${String(object['name'])}`,
  )
  t.same(kinds.slice(0, 3), ['Deployment payments/ledger', 'Deployment payments/api', 'Job batch/import'])
  for (const entry of entries) {
    t.same(
      Object.keys(entry).filter(
        (key) => !['object', 'allowed', 'patch', 'message', 'warnings', 'decisions'].includes(key),
      ),
      [],
    )
    for (const decision of entry.decisions)
      t.same(
        Object.keys(decision).filter(
          (key) => !['rule', 'container', 'slot', 'action', 'reason', 'strategy'].includes(key),
        ),
        [],
      )
  }
  const by = (name: string) => entries[kinds.indexOf(name)]
  t.match(by('Pod shop/debug'), {
    allowed: true,
    decisions: [
      {
        rule: 'probes',
        container: 'debug',
        slot: 'readinessProbe',
        action: 'annotate',
        reason: 'strict-mtls',
        strategy: 'agent',
      },
    ],
  })
  t.not(by('Pod shop/debug')?.patch.length, 0)
  t.match(by('Deployment shop/web'), {
    patch: [],
    decisions: [
      { action: 'leave', strategy: 'agent', reason: 'at-pod-creation' },
      { action: 'leave', strategy: 'agent', reason: 'at-pod-creation' },
      { action: 'leave', strategy: 'agent', reason: 'at-pod-creation' },
    ],
  })
  t.match(by('Ingress shop/shop'), {
    allowed: false,
    message: /Apply this instead/,
    decisions: [{ rule: 'ingress', action: 'deny' }],
  })
  t.match(by('Deployment edge/frontend'), { decisions: [{ action: 'leave', reason: 'istio-rewrites' }] })
})

t.test('preview --config shows the answers of a webhook that runs with it', async (t) => {
  const config = `${t.testdir({ 'config.yaml': 'rules: { exemptNamespaces: [shop] }' })}/config.yaml`
  const args = ['preview', '-f', '-', '--from', `${EXAMPLES}/cluster`, '-o', 'json']
  for (const [more, action] of [
    [[], 'rewrite'],
    [['--config', config], 'leave'],
  ] as const) {
    const { stdout } = await run([...args, ...more], POD)
    t.match(stdout, new RegExp(`"action": "${action}"`), more.join(' '))
  }
  t.match(await run([...args, '--config', '/none.yaml'], POD), { code: 2, stderr: /\/none\.yaml: / })
})

t.test('preview -o text shows a diff and the reason, without colours in a pipe', async (t) => {
  const { stdout } = await run(['preview', '-f', `${EXAMPLES}/workloads/shop.yaml`, '--from', `${EXAMPLES}/cluster`])
  t.match(
    stdout,
    /^6 objects: 5 get rewritten pods \(8 probes and 1 hook\), 1 untouched\n(?:.*\n)?\nnamespace shop\n\nDeployment web {2}\(.*shop\.yaml:2\)\n {2}rewritten when its pods are created: 2 probes and 1 hook\n {2}why: (?:.*\n)+? {4}web livenessProbe:\n {6}- GET :http\/healthz\n {6}\+ served by Istio's agent/,
  )
  t.notMatch(stdout, '\u001b')
})

t.test('preview -o yaml keeps comments and order, restore is the way back, both through pipes', async (t) => {
  const source = `# first\n${POD}---\n# untouched, to the letter\napiVersion: v1\nkind: Service\nmetadata:   {name:   x}\n`
  const previewed = await run(['preview', '-f', '-', '--from', `${EXAMPLES}/cluster`, '-o', 'yaml'], source)
  t.equal(previewed.code, 0, previewed.stderr)
  t.match(previewed.stdout, '# first')
  t.match(previewed.stdout, 'name: web # the one')
  t.match(previewed.stdout, '# measured: not below ten')
  t.match(previewed.stdout, 'metadata:   {name:   x}')
  const [pod] = parseAllDocuments(previewed.stdout).map(
    (document: { toJS(): unknown }) => document.toJS() as JsonObject,
  )
  t.match(pod, {
    spec: {
      initContainers: [{ name: 'istio-onramp-prober' }],
      containers: [{ livenessProbe: { periodSeconds: 10, exec: { command: ['/istio-onramp/prober', 'http'] } } }],
    },
  })
  const restored = await run(['restore', '-f', '-'], previewed.stdout)
  t.equal(restored.code, 0, restored.stderr)
  t.match(restored.stderr, '1 object with a receipt restored')
  t.same(parseYaml(restored.stdout.split('---')[0] ?? ''), parseYaml(POD))
  const list = JSON.parse((await run(['restore', '-f', '-', '-o', 'json'], previewed.stdout)).stdout) as {
    kind: string
    items: readonly JsonObject[]
  }
  t.equal(list.kind, 'List')
  t.equal(list.items.length, 2)
})

t.test('preview -o yaml of Lists, anchors and denied objects', async (t) => {
  const cluster = `${EXAMPLES}/cluster`
  const inList = `apiVersion: v1\nkind: List\nitems:\n- ${POD.replaceAll('\n', '\n  ').trimEnd()}\n- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n  metadata: {name: i, namespace: shop}\n  spec: {}\n`
  const list = await run(['preview', '-f', '-', '--from', cluster, '-o', 'yaml'], inList)
  t.equal(list.code, 1)
  const parsed = parseYaml(list.stdout) as { items: readonly JsonObject[] }
  t.equal(parsed.items.length, 1, 'a denied object is not printed')
  t.match(list.stdout, /^# Ingress shop\/i is denied: the namespace is in the Istio mesh/m, 'but why is')
  t.match(parsed.items[0], { spec: { containers: [{ livenessProbe: { exec: {} } }] } })
  const anchored = POD.replace(
    'livenessProbe:',
    'readinessProbe: &probe\n      httpGet: {port: 8080}\n    livenessProbe: *probe\n    startupProbe:',
  )
  const { stdout } = await run(['preview', '-f', '-', '--from', cluster, '-o', 'yaml'], anchored)
  t.match(parseYaml(stdout), { spec: { containers: [{ livenessProbe: { exec: {} }, readinessProbe: { exec: {} } }] } })
})

t.test(
  'serve answers over TLS with the authority it wrote, follows its configuration, and stops on a signal',
  async (t) => {
    const folder = t.testdir({ 'config.yaml': 'rules: {ingress: deny}\n' })
    mkdirSync(`${folder}/out`)
    const caFile = `${folder}/out/ca.crt`
    const config = `${folder}/config.yaml`
    const tls = ['--tls-self-signed', '--tls-ca-out', caFile]
    const listen = ['--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0']
    const child = spawn(
      process.execPath,
      [CLI, 'serve', '--from', `${EXAMPLES}/cluster`, '--config', config, ...tls, ...listen],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    t.teardown(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stderr })
    const logged = async (message: string): Promise<JsonObject> => {
      for await (const [line] of on(lines, 'line')) {
        const event = JSON.parse(String(line)) as JsonObject
        if (event['msg'] === message) return event
      }
      return {}
    }
    const { address, metrics } = await logged('listening')
    const agent = new Agent({ ca: readFileSync(caFile, 'utf8') })
    t.match(await ask(`https://${String(address)}/readyz`, agent), { status: 200 })

    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'i', namespace: 'shop' } }
    const request = {
      uid: 'u',
      operation: 'CREATE',
      namespace: 'shop',
      name: 'i',
      object: { ...ingress, spec: { rules: [{ host: 'a.example.com' }] } },
    }
    const kind = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { ...request, kind, userInfo: {} },
    }
    const isAllowed = async (): Promise<unknown> => {
      const { body } = await ask(`https://${String(address)}/validate`, agent, JSON.stringify(review))
      return (JSON.parse(body) as { response: { allowed: boolean } }).response.allowed
    }
    t.equal(await isAllowed(), false)
    const refused = logged('the configuration file cannot be used; the current configuration stays in force')
    writeFileSync(config, 'rules: {ingress: maybe}\n')
    t.match((await refused)['problem'], /rules\.ingress: is "maybe"; allowed values: deny, warn, allow/)
    t.equal(await isAllowed(), false, 'the rules stay')
    const again = logged('the configuration file cannot be used; the current configuration stays in force')
    writeFileSync(config, 'rules: {ingress: maybe} # still\n')
    await sleep(400)
    writeFileSync(config, 'rules: {ingress: perhaps}\n')
    t.match((await again)['problem'], /perhaps/, 'each problem once')
    const waiting = logged('these settings take effect after a restart')
    writeFileSync(config, 'rules: {ingress: warn}\nlimits: {requestBytes: 65536}\n')
    t.same((await waiting)['settings'], ['limits.requestBytes'])
    t.equal(await isAllowed(), true, 'the new rules are in force')
    const counts = (await ask(`http://${String(metrics)}/metrics`)).body
    for (const line of ['reloads_total{result="loaded"} 1', 'reloads_total{result="refused"} 2', 'refused 0'])
      t.match(counts, new RegExp(`^istio_onramp_configuration_${line.replace(/[{}]/g, String.raw`\$&`)}$`, 'm'))
    const quiet = logged('configuration reloaded')
    writeFileSync(config, 'rules: {ingress: warn}\nlogLevel: debug\n')
    await quiet
    writeFileSync(config, 'rules: {ingress: warn}\nlogLevel: warn\n')
    await sleep(400)
    for (const level of ['debug', 'warn']) {
      const changed = logged('log level changed by SIGUSR2')
      child.kill('SIGUSR2')
      t.equal((await changed)['logLevel'], level)
    }

    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    t.equal(await exited, 0)
  },
)

async function ask(url: string, agent?: Agent, body?: string): Promise<{ status: number | undefined; body: string }> {
  const options = {
    agent,
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
  }
  const client = url.startsWith('https:') ? httpsRequest : httpRequest
  return await new Promise((resolve, reject) => {
    const sent = client(url, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode, body: text }))
    })
    sent.on('error', reject).end(body)
  })
}

t.test('serve ends, naming the flag, where it cannot listen', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const free = '127.0.0.1:0'
  const authority = `${t.testdir({ 'ca.crt': 'of the server that runs' })}/ca.crt`
  for (const [flag, args] of [
    ['--listen', ['--listen', `127.0.0.1:${port}`, '--metrics', free]],
    ['--metrics', ['--listen', free, '--metrics', `127.0.0.1:${port}`]],
  ] as const) {
    const tls = ['--tls-self-signed', '--tls-ca-out', authority]
    const { code, stderr } = await run(['serve', '--from', `${EXAMPLES}/cluster`, ...tls, ...args])
    t.equal(code, 2, flag)
    t.equal(readFileSync(authority, 'utf8'), 'of the server that runs')
    t.match(stderr, `error: ${flag}: cannot listen on port ${port} of 127.0.0.1: the port is in use`)
  }
})

const CONVERTED = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop, annotations: {nginx.ingress.kubernetes.io/auth-type: basic, cert-manager.io/cluster-issuer: ca}}
spec:
  ingressClassName: nginx
  tls: [{hosts: [a.example.com], secretName: tls}]
  rules:
  - host: a.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{name: http, port: 8080, targetPort: 80}]}
`

t.test('convert prints objects, with the report beside them, and says by its exit code what was lost', async (t) => {
  const yaml = await run(['convert', '-f', '-'], CONVERTED)
  t.equal(yaml.code, 1, 'an error in the report')
  t.match(
    yaml.stderr,
    /\nIngress shop\/shop \(standard input:1\)\n {2}error nginx\.ingress\.kubernetes\.io\/auth-type: not converted: SECURITY/,
  )
  t.match(yaml.stderr, /^1 Ingress, 1 error, 1 warning, 2 steps for the platform team\n/, 'the counts come first')
  t.match(yaml.stdout, /^# Ingress shop\/shop/m, 'the report as comments')
  t.match(yaml.stdout, /^#! for the platform team: namespace istio-system\napiVersion: cert-manager\.io\/v1$/m)
  const documents = parseAllDocuments(yaml.stdout)
  t.same(Array.isArray(documents) && documents.map((document) => (document.toJS() as JsonObject | null)?.['kind']), [
    'Gateway',
    'VirtualService',
    'Certificate',
  ])
  t.match(yaml.stdout, /number: 8080/, 'the named port of the Service among the input')

  const json = await run(['convert', '-f', '-', '-o', 'json', '--to', 'gateway-api', '--fail-on', 'never'], CONVERTED)
  t.match(json, { code: 0, stderr: '' })
  const { objects, report } = JSON.parse(json.stdout) as { objects: JsonObject[]; report: JsonObject[] }
  t.same(
    objects.map(({ kind }) => kind),
    ['Gateway', 'ListenerSet', 'HTTPRoute', 'HTTPRoute'],
  )
  t.match(
    report.find(({ about }) => about === 'spec.rules[0].http.paths[0]'),
    { ingress: 'shop/shop', level: 'info', outcome: 'converted' },
  )
  t.same(Object.keys(report[0] ?? {}), ['ingress', 'level', 'about', 'outcome', 'message'])

  const folder = t.testdir({ 'config.yaml': 'rules: {gateway: {shared: edge/public}}\n' })
  const shared = await run(
    ['convert', '-f', '-', '--config', `${folder}/config.yaml`, '--report', `${folder}/report.json`],
    CONVERTED,
  )
  t.notMatch(shared.stdout, /kind: Gateway/)
  t.match(JSON.parse(readFileSync(`${folder}/report.json`, 'utf8')), [{ ingress: 'shop/shop' }])
  t.equal(
    (await run(['convert', '-f', '-', '--fail-on', 'warn'], CONVERTED.replace('auth-type: basic', 'ssl-ciphers: HIGH')))
      .code,
    1,
  )
  t.equal((await run(['convert', '-f', '-'], CONVERTED.replace('auth-type: basic', 'ssl-ciphers: HIGH'))).code, 0)
  t.match(await run(['convert', '-f', '-'], 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n'), {
    code: 0,
    stdout: '',
    stderr: /no Ingress among 1 object/,
  })
})

t.test('on a terminal, convert shows the report once, in lines that fit', async (t) => {
  const written = { stdout: '', stderr: '' }
  const folder = t.testdir({ 'a.yaml': CONVERTED })
  await runCommandLine(['convert', '-f', `${folder}/a.yaml`], {
    stdout: { write: (text) => (written.stdout += text), isTTY: true },
    stderr: { write: (text) => (written.stderr += text), isTTY: true },
  })
  t.notMatch(written.stdout, /^# /m)
  t.match(written.stderr, /^1 Ingress, 1 error/)
  const long = written.stderr.split('\n').filter((line) => line.length > 100 && line.trim().includes(' '))
  t.same(long, [])
})

t.test('routes of other kinds are counted and named, and an Ingress is not missed for them', async (t) => {
  const proxy = 'apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {name: a, namespace: shop}\n'
  const { code, stderr } = await run(['convert', '-f', '-'], proxy)
  t.equal(code, 1)
  t.match(stderr, /error HTTPProxy: not converted: 1 HTTPProxy of Contour, which convert does not read: shop\/a\./)
  t.notMatch(stderr, /no Ingress/)
})

t.test('convert reads the cluster of the kubeconfig, all namespaces or some', async (t) => {
  const server = await startFakeApiServer()
  t.teardown(async () => server.close())
  const [object, service] = parseAllDocuments(CONVERTED).map((document) => document.toJS() as JsonObject)
  // As a list has them: without kind and apiVersion.
  const item = (given: JsonObject = {}) =>
    Object.fromEntries(Object.entries(given).filter(([key]) => !/^(?:kind|apiVersion)$/.test(key)))
  const named = (name: string) => ({ ...item(object), metadata: { ...(object?.['metadata'] as JsonObject), name } })
  server.set('/apis/networking.k8s.io/v1/ingresses', [item(object), named('second'), named('third')])
  server.set('/apis/networking.k8s.io/v1/ingressclasses', [])
  server.set('/api/v1/services', [item(service)])
  for (const [namespace, objects] of [
    ['shop', [item(object)]],
    ['other', []],
  ] as const) {
    server.set(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, objects)
    server.set(`/api/v1/namespaces/${namespace}/services`, namespace === 'shop' ? [item(service)] : [])
  }
  server.set('/apis/projectcontour.io/v1/httpproxies', [{ metadata: { name: 'p', namespace: 'shop' } }])
  const args = ['/nginx-ingress-controller', '--configmap=$(POD_NAMESPACE)/nginx-settings']
  const controller = {
    metadata: { name: 'controller', namespace: 'ingress-nginx' },
    spec: {
      template: {
        spec: { containers: [{ name: 'controller', image: 'registry.k8s.io/ingress-nginx/controller:v1', args }] },
      },
    },
  }
  server.set('/apis/apps/v1/deployments', [controller])
  process.env['KUBECONFIG'] = writeKubeconfig(t.testdir(), server.url)
  t.teardown(() => delete process.env['KUBECONFIG'])
  const all = await run(['convert'])
  t.match(all.stdout, /kind: VirtualService/)
  t.match(all.stdout, /number: 8080/, 'the named port of the Service in the cluster')
  t.match(all.stderr, /1 HTTPProxy of Contour/)
  const read = server.requests.filter((request) => request.includes('configmaps'))
  t.same(
    read.map((request) => request.replace(/^\S* /, '')),
    ['/api/v1/namespaces/ingress-nginx/configmaps/nginx-settings'],
    "of all ConfigMaps, only the controller's own",
  )
  t.match(all.stderr, /^3 Ingresses, /m, 'the pages after the first as well')
  t.notMatch(all.stderr, /count as absent/, 'a kind that the cluster does not have needs no word')
  const before = server.requests.length
  t.match((await run(['convert', '-n', 'shop', '-n', 'other'])).stdout, /kind: VirtualService/)
  const lists = server.requests.slice(before).filter((request) => /\/(?:ingresses|services)\?/.test(request))
  t.ok(lists.every((request) => /\/namespaces\/(?:shop|other)\//.test(request) || /serving\.knative/.test(request)))
  t.notMatch((await run(['convert', '-n', 'other'])).stdout, /kind: VirtualService/)
  server.forget('/apis/networking.k8s.io/v1/ingresses')
  t.match(await run(['convert']), { code: 2, stderr: /ingresses: / })
})

t.test(
  "ingress-nginx' own settings count for every Ingress, from a file or from the controller among the input",
  async (t) => {
    const settings =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nginx, namespace: ingress}\ndata: {ssl-redirect: "false", use-forwarded-headers: "true", whitelist-source-range: 10.0.0.0/8, nosuch: x}\n'
    const workload =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nginx, namespace: ingress}\nspec: {template: {spec: {containers: [{name: c, image: registry.k8s.io/ingress-nginx/controller:v1.15.1, args: [/nginx-ingress-controller, --configmap=$(POD_NAMESPACE)/nginx, --default-ssl-certificate=a/b]}]}}}\n'
    const folder = t.testdir({
      'settings.yaml': settings,
      'none.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n',
    })
    const named = await run(['convert', '-f', '-', '--controller-config', `${folder}/settings.yaml`], CONVERTED)
    const found = await run(['convert', '-f', '-'], `${CONVERTED}---\n${settings}---\n${workload}`)
    for (const { stdout, stderr } of [named, found]) {
      t.notMatch(stdout, /redirectCode: 308/)
      t.match(stdout, /kind: AuthorizationPolicy/)
      t.match(stdout, /strict-transport-security: max-age=31536000; includeSubDomains/)
      t.match(stderr, /warn {2}ingress-nginx use-forwarded-headers: step for the platform team: is true/)
      t.match(stderr, /warn {2}ingress-nginx nosuch: not converted: is x; unknown setting/)
      t.match(stderr, /error ingress-nginx whitelist-source-range: differs: SECURITY/)
      t.notMatch(stderr, /defaults are assumed/)
    }
    t.match(found.stderr, /error ingress-nginx --default-ssl-certificate: step/)
    t.match(await run(['convert', '-f', '-', '--controller-config', `${folder}/none.yaml`], CONVERTED), {
      code: 2,
      stderr: /--controller-config .*none\.yaml: one ConfigMap is expected/,
    })
  },
)
