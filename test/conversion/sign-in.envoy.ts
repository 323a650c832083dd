/**
 * Sign-in by oauth2-proxy through a real Envoy: the provider that the report prints, in the mesh's configuration. The small
 * server answers as oauth2-proxy 7.15 does with the flags that the report names; ISTIO_ONRAMP_TEST_OAUTH2_PROXY is the path of
 * a real one to run instead. Run by hack/conversion/test.
 */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { connectApiServer } from './support/envoy/api-server.ts'
import { serviceObjects } from './support/envoy/backends.ts'
import { send } from './support/envoy/gateway.ts'
import { stage } from './support/envoy/stage.ts'
import { convert, ingress, type Annotations } from './support/conversion-fixtures.ts'
import { platformGateway, SHARED } from './support/platform-gateway.ts'
import { TARGETS } from './support/targets.ts'

const [ADDRESS, PORT] = ['10.77.0.1', 4180]
const AUTHORIZED = { authorization: `Basic ${Buffer.from('me:password').toString('base64')}` }

const server = await connectApiServer()
t.teardown(() => server.close())

const ANNOTATIONS = {
  'nginx.ingress.kubernetes.io/auth-url': `http://oauth2-proxy.auth.svc.cluster.local:${PORT}/oauth2/auth`,
  'nginx.ingress.kubernetes.io/auth-signin': 'https://auth.example.com/oauth2/start?rd=$scheme://$host$request_uri',
}

/** Two applications behind one oauth2-proxy, each with the headers that it wants. */
function applications(target: Target): readonly JsonObject[] {
  const app = (name: string, headers: Annotations) =>
    ingress({ namespace: name, name, host: `${name}.${target}.test`, annotations: { ...ANNOTATIONS, ...headers } })
  const wanted = { 'nginx.ingress.kubernetes.io/auth-response-headers': 'X-Auth-Request-User' }
  const open = ingress({ namespace: 'docs', name: 'open', host: `open.${target}.test` })
  return [app('grafana', wanted), app('docs', {}), open, ...signedInOnItsHost(`own.${target}.test`)]
}

/** An application whose host has the pages of oauth2-proxy below /oauth2. */
function signedInOnItsHost(host: string): readonly JsonObject[] {
  const annotations = { ...ANNOTATIONS, 'nginx.ingress.kubernetes.io/auth-url': 'https://$host/oauth2/auth' }
  const pages = { path: '/oauth2', type: 'Prefix', service: 'oauth2-proxy', port: PORT }
  return [
    ingress({ namespace: 'auth', name: 'own', host, annotations }),
    ingress({ namespace: 'auth', name: 'own-pages', host, paths: [pages] }),
  ]
}

for (const target of TARGETS)
  t.test(`signing in with oauth2-proxy, converted to ${target}`, async (t) => {
    const { objects, report } = convert(applications(target), target, target === 'istio' ? {} : { shared: SHARED })
    const providers = new Set(
      report.flatMap(({ message }) => /extensionProviders, .*?: (\{.*\})\. Run/.exec(message)?.[1] ?? []),
    )
    t.equal(providers.size, 1, 'one provider for all Ingresses')
    await configureMesh(
      t,
      [...providers].map((text) => JSON.parse(text) as JsonObject),
    )
    await startAuthorizer(t)
    const proxy = serviceObjects([{ namespace: 'auth', service: 'oauth2-proxy', port: PORT, target: PORT }])
    await stage(t, server, [...platformGateway(report), ...proxy, ...objects])
    await checkAnswers(t, target)
  })

async function checkAnswers(t: Test, target: Target): Promise<void> {
  for (const name of ['grafana', 'docs']) {
    const host = `${name}.${target}.test`
    for (const path of ['/', '/d/1?from=now', '/ping', '/oauth2/auth', '/robots.txt']) {
      const asked = await send({ host, path })
      t.equal(asked?.status, 302, `${host}${path} without signing in`)
      const back = new URL(String(asked?.headers['location'])).searchParams.get('state') ?? ''
      t.ok(back.endsWith(`http://${host}${path}`), `back to ${host}${path}: ${back}`)
    }
    const refused = await send({ host, path: '/', headers: { authorization: 'Basic bWU6d3Jvbmc=' } })
    t.not(refused?.status, 200, 'a wrong password')
    const signedIn = await send({ host, path: '/d/1?from=now', headers: AUTHORIZED })
    t.match(signedIn?.seen, { to: /^web\./, path: '/d/1?from=now' }, 'signed in')
    t.equal(signedIn?.seen?.headers['x-auth-request-user'], 'me', 'the header of the check')
  }
  const own = `own.${target}.test`
  t.equal((await send({ host: own, path: '/d' }))?.status, 302, 'the application needs a session')
  t.equal((await send({ host: own, path: '/oauth2/auth' }))?.status, 401, 'the pages of oauth2-proxy are not checked')
  t.equal((await send({ host: own, path: '/d', headers: AUTHORIZED }))?.status, 200)
  t.match(await send({ host: `open.${target}.test`, path: '/' }), { status: 200 }, 'a host without auth-url')
}

/** istiod reads the file again when it changes. */
async function configureMesh(t: Test, extensionProviders: readonly JsonObject[]): Promise<void> {
  const file = process.env['ISTIO_ONRAMP_TEST_MESH_CONFIG'] ?? ''
  const before = await readFile(file, 'utf8')
  t.teardown(() => writeFile(file, before))
  await writeFile(file, `${before}${stringify({ extensionProviders })}`)
  await sleep(2000)
}

async function startAuthorizer(t: Test): Promise<void> {
  const binary = process.env['ISTIO_ONRAMP_TEST_OAUTH2_PROXY']
  if (binary === undefined) {
    const authorizer = createServer(authorize)
    await new Promise<void>((resolve) => authorizer.listen(PORT, ADDRESS, resolve))
    t.teardown(() => new Promise((resolve) => authorizer.close(resolve)))
    return
  }
  const proxy = spawn(binary, process.env['ISTIO_ONRAMP_TEST_OAUTH2_PROXY_FLAGS']?.split(' ') ?? [], {
    stdio: 'ignore',
  })
  t.teardown(() => proxy.kill())
  await sleep(2000)
}

/**
 * | path          | without a session | with one |
 * |---------------|-------------------|----------|
 * | /ping         | 200               | 200      |
 * | /oauth2/auth  | 401               | 202      |
 * | anything else | 302               | 200      |
 */
function authorize({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const [path] = url.split('?')
  const isAuthorized = headers.authorization === AUTHORIZED.authorization
  const isCheck = path === '/oauth2/auth'
  if (isAuthorized) response.setHeader('x-auth-request-user', 'me')
  if (path === '/ping') response.writeHead(200)
  else if (isAuthorized) response.writeHead(isCheck ? 202 : 200)
  else if (isCheck) response.writeHead(401)
  else {
    const back = headers['x-auth-request-redirect'] ?? url
    const state = encodeURIComponent(`nonce:${String(back)}`)
    response.writeHead(302, { location: `https://login.example.com/authorize?state=${state}` })
  }
  response.end()
}
