// `istio-onramp verify` against an API server that has called the webhook, has not, or does not serve a kind. The real
// one is in test/e2e/verify.e2e.ts.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { runCommandLine } from '../../src/command-line.ts'
import { writeKubeconfig } from '../support/kubeconfig.ts'

interface Answer {
  readonly status?: number
  readonly warnings?: readonly string[]
  readonly message?: string
}

async function run(t: Test, answers: Record<string, readonly Answer[]>, ...args: readonly string[]) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const plural = /([a-z]+)\?dryRun=All$/.exec(path)?.[1] ?? ''
    const [first, ...rest] = answers[plural] ?? []
    if (rest.length > 0) answers[plural] = rest
    const {
      status = 201,
      warnings = [],
      message = '',
    } = first ?? { status: 404, message: 'the server could not find it' }
    asked.push(`${request.method ?? ''} ${path}`)
    request.resume()
    for (const text of warnings) response.appendHeader('warning', `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ kind: 'Status', message }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  process.env['KUBECONFIG'] = writeKubeconfig(t.testdir(), `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => void delete process.env['KUBECONFIG'])
  let stdout = ''
  let stderr = ''
  const code = await runCommandLine(['verify', ...args], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  })
  return { code, stdout, stderr, asked }
}

const REVIEWED = {
  warnings: ['of another webhook', 'annotation a\\b is "verify"; it is ignored [istio-onramp/setting-refused]'],
}

t.test('each function that the webhook warned of is reviewed; a kind that there is not is not tested', async (t) => {
  const answers = { pods: [REVIEWED], deployments: [REVIEWED], ingresses: [REVIEWED] }
  const { code, stdout, asked } = await run(t, answers)
  t.equal(code, 0)
  t.same(stdout.trim().split('\n').toSorted(), [
    'ingress: reviewed by the webhook',
    'pods: reviewed by the webhook',
    'strictSwitch: not tested, because the cluster does not serve /apis/security.istio.io/v1/peerauthentications',
    'templates: reviewed by the webhook',
  ])
  t.same(asked.toSorted(), [
    'POST /api/v1/namespaces/default/pods?dryRun=All',
    'POST /apis/apps/v1/namespaces/default/deployments?dryRun=All',
    'POST /apis/networking.k8s.io/v1/namespaces/default/ingresses?dryRun=All',
    'POST /apis/security.istio.io/v1/namespaces/default/peerauthentications?dryRun=All',
  ])
})

t.test('what the API server did without the webhook, or refused, is named, and the exit code is 1', async (t) => {
  const failed = 'Internal error occurred: failed calling webhook "probes.istio-onramp.io": connection refused'
  const rows: readonly (readonly [Answer, number, RegExp])[] = [
    [
      {},
      1,
      /^pods: NOT reviewed: the API server did not call the webhook in namespace shop, .*\nWhat to do: .*not-called/,
    ],
    [{ warnings: ['annotation is "verify" to someone else'] }, 1, /NOT reviewed/],
    [{ status: 500, message: failed }, 1, /NOT reviewed: Internal error occurred: failed calling webhook/],
    [{ status: 404, message: 'namespaces "shop" not found' }, 1, /NOT reviewed: namespaces "shop" not found/],
    [{ status: 403, message: 'exceeded quota', ...REVIEWED }, 0, /^pods: reviewed/],
    [
      { status: 403, message: 'admission webhook "ingress.istio-onramp.io" denied the request: no' },
      0,
      /^pods: reviewed/,
    ],
  ]
  for (const [answer, expected, line] of rows) {
    const { code, stdout } = await run(t, { pods: [answer] }, '-n', 'shop', '--function', 'pods')
    t.equal(code, expected, JSON.stringify(answer))
    t.match(stdout, line)
  }
})

t.test('with --wait it asks again until the webhook has answered', async (t) => {
  const { code, asked } = await run(t, { pods: [{}, REVIEWED] }, '--wait', '30', '--function', 'pods')
  t.equal(code, 0)
  t.equal(asked.length, 2)
})

t.test('wrong usage is named', async (t) => {
  t.match(await run(t, {}, '--function', 'pod'), { code: 2, stderr: /'pod' is invalid.*pods, templates, ingress/ })
  t.match(await run(t, {}, '--wait', '1m'), { code: 2, stderr: /A number of seconds is expected/ })
})
