// The command line and a cluster: the built binary, a kubeconfig, and an API server that may be slow, strict or away. That
// server is a fake one; live.e2e.ts has the real one.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startFakeApiServer, type FakeApiServer } from '../support/fake-api-server.ts'
import { writeKubeconfig, type KubeconfigOptions } from '../support/kubeconfig.ts'
import { DEFAULT_INSTALL, istioInstall, namespaceObject, peerAuthentication } from '../support/fixtures.ts'
import { CLI, environment, PROBED, serve, until } from './support/serving.ts'

const POLICIES = '/apis/security.istio.io/v1/peerauthentications'
/** Without a namespace: the context, or `-n`, says where it is. */
const HOMELESS = JSON.stringify({ ...PROBED, metadata: { name: 'web' } })

/** Two namespaces in the mesh, of which `shop` is STRICT. */
function fill(server: FakeApiServer): void {
  const install = istioInstall(DEFAULT_INSTALL, {}, { rewriteAppHTTPProbe: false })
  const of = (kind: string) => install.filter((object) => object['kind'] === kind)
  const mesh = { 'istio-injection': 'enabled' }
  for (const path of ['/api/v1/services', '/api/v1/nodes', '/apis/networking.k8s.io/v1/ingressclasses'])
    server.set(path, [])
  server.set('/api/v1/namespaces', [
    namespaceObject('default'),
    namespaceObject('calm', mesh),
    namespaceObject('shop', mesh),
  ])
  server.set('/api/v1/namespaces/istio-system/configmaps', of('ConfigMap'))
  server.set('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', of('MutatingWebhookConfiguration'))
  server.set(POLICIES, [peerAuthentication('shop', 'default', { mtls: { mode: 'STRICT' } })])
}

async function startFull(t: Test, port = 0): Promise<FakeApiServer> {
  const server = await startFakeApiServer(port)
  t.teardown(() => server.close())
  fill(server)
  return server
}

async function preview(kubeconfig: string, ...args: readonly string[]) {
  return await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { timeout: 120_000, env: environment(kubeconfig) }
    const given = ['preview', '-f', '-', '-o', 'json', ...args]
    const child = execFile(process.execPath, [CLI, ...given], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr })
    })
    child.stdin?.end(HOMELESS)
  })
}

const REWRITE = /"strategy": "agent"/

t.test('preview without --from reads the cluster of the kubeconfig, page by page', async (t) => {
  const server = await startFull(t)
  const kubeconfig = writeKubeconfig(t.testdir(), server.url)
  const read = await preview(kubeconfig)
  t.match(read, { code: 0, stdout: REWRITE }, "the context's namespace is STRICT")
  t.ok(server.requests.includes('/api/v1/namespaces?limit=500&continue=2'), 'the third namespace is on a second page')
  t.notOk(server.requests.some((path) => path.includes('watch=true')))
  const elsewhere = await preview(kubeconfig, '-n', 'calm')
  t.match(elsewhere, { code: 0, stdout: /"namespace": "calm"/ })
  t.notMatch(elsewhere.stdout, REWRITE)
})

t.test('a second without an answer is logged, and each one after it', async (t) => {
  const server = await startFull(t)
  server.delay(900)
  const { code, stderr } = await preview(writeKubeconfig(t.testdir(), server.url))
  t.equal(code, 0)
  t.match(stderr, new RegExp(`^(reading ${server.url}: \\d of 7 kinds\n)+$`))
})

t.test('a cluster that cannot be read whole is an error, and says what of it', async (t) => {
  const server = await startFull(t)
  const kubeconfig = writeKubeconfig(t.testdir(), server.url)
  server.forget('/api/v1/services')
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    [kubeconfig, [], `error: ${server.url}: services: the fake says 404 [istio-onramp/cluster-unreadable]\n`],
    [
      kubeconfig,
      ['--context', 'nowhere'],
      'error: http://127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9 [istio-onramp/cluster-unreadable]\n',
    ],
    [
      kubeconfig,
      ['--context', 'x'],
      'error: --context x: the kubeconfig has no such context; it has one, nowhere [istio-onramp/cluster-not-found]\n',
    ],
    [
      '/nowhere/kubeconfig',
      [],
      "error: kubeconfig: ENOENT: no such file or directory, open '/nowhere/kubeconfig' [istio-onramp/cluster-not-found]\n",
    ],
  ]
  for (const [file, args, stderr] of cases) t.same(await preview(file, ...args), { code: 2, stdout: '', stderr })
})

/** An exec plugin that notes each of its runs in `runs` and returns the token in `token`. */
function plugin(folder: string): KubeconfigOptions {
  const credential = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'
  const script = `cd ${folder}; echo run >> runs; [ -s token ] || { echo log in first >&2; exit 1; }; printf '${credential}' "$(cat token)"`
  return { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] } } }
}

const runsIn = (folder: string) => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n').length

t.test('preview looks for control planes where the configuration has them', async (t) => {
  const server = await startFull(t)
  const configMaps = '/api/v1/namespaces/mesh/configmaps'
  server.set(configMaps, [])
  const folder = t.testdir({ 'config.yaml': 'cluster: { controlPlaneNamespaces: [mesh] }' })
  await preview(writeKubeconfig(folder, server.url), '--config', join(folder, 'config.yaml'))
  const asked = server.requests.filter((path) => path.includes('/configmaps'))
  t.ok(asked.length > 0 && asked.every((path) => path.startsWith(configMaps)), asked.join())
})

t.test('an exec plugin is run once for all kinds, and its failure is logged in its own words', async (t) => {
  const server = await startFull(t)
  const folder = t.testdir({ token: 'fresh' })
  const kubeconfig = writeKubeconfig(folder, server.url, plugin(folder))
  server.demand('fresh')
  t.match(await preview(kubeconfig), { code: 0, stdout: REWRITE })
  t.equal(runsIn(folder), 1)
  writeFileSync(join(folder, 'token'), '')
  t.match(await preview(kubeconfig), { code: 2, stderr: `error: ${server.url}: log in first\n` })
})

t.test("a kubeconfig's proxy is used", async (t) => {
  const server = await startFull(t)
  const asked: string[] = []
  const proxy = createServer((socket) => {
    socket.once('data', (head) => {
      asked.push(head.toString().split('\r\n')[0] ?? '')
      const onward = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      for (const one of [socket, onward]) one.on('error', () => undefined)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  // A name that nothing resolves: only the proxy can have got there.
  const kubeconfig = writeKubeconfig(t.testdir(), 'http://api.invalid', { cluster: { 'proxy-url': address } })
  t.match(await preview(kubeconfig), { code: 0, stdout: REWRITE })
  t.equal(asked[0], 'CONNECT api.invalid:80 HTTP/1.1')
})

t.test('serve waits for an API server that is away, says so once a back-off, and needs it no more after', async (t) => {
  const away = await startFakeApiServer()
  await away.close()
  const { url } = away
  const serving = await serve(t, writeKubeconfig(t.testdir(), url))
  await until('it failed for the second time', () => serving.failures().length > 1)
  t.ok(serving.failures().length < 6, 'one line a wait, not one for each of 22 kinds')
  t.match(serving.failures()[0], { server: url, error: `${url}: connect ECONNREFUSED ${new URL(url).host}` })
  t.equal(await serving.get('/livez'), 200)
  t.equal(await serving.get('/readyz'), 503)
  t.match(await serving.review(), { allowed: true, patch: undefined, warnings: [/the cluster has not been read yet/] })

  const server = await startFull(t, Number(new URL(url).port))
  await until('it is ready', () => serving.isReady())
  const asked = server.requests.length
  for (let reviews = 0; reviews < 100; reviews++)
    t.match(await serving.review(), { allowed: true, patchType: 'JSONPatch' })
  // Kinds that no decision needs may still be on their way.
  const since = server.requests.length - asked
  t.ok(since < 100, `reviews ask the API server nothing: ${since} requests in 100`)

  await server.close()
  t.match(await serving.review(), { allowed: true, patchType: 'JSONPatch' }, 'what was known stays in force')
  t.equal(await serving.get('/readyz'), 200)
})

t.test('credentials that the API server rejects are requested again', async (t) => {
  const server = await startFull(t)
  const folder = t.testdir({ token: 'first' })
  server.demand('first')
  const serving = await serve(t, writeKubeconfig(folder, server.url, plugin(folder)))
  await until('it is ready', () => serving.isReady())
  writeFileSync(join(folder, 'token'), 'second')
  server.demand('second')
  server.cutConnections()
  await until('the connections are gone', () => server.watchers(POLICIES) === 0)
  await until('it watches again', () => server.watchers(POLICIES) === 1)
  server.send(POLICIES, 'DELETED', peerAuthentication('shop', 'default', {}))
  await until('the change is seen', async () => !(await serving.isRewritten()))
})
