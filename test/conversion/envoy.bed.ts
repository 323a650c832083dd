/**
 * Requests through a real Envoy that a real istiod configures, from the objects of the simulators' tables and from what
 * `convert` emits. Run by hack/conversion/test, which starts them.
 */
import t, { type Test } from 'tap'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { connectApiServer } from './bed/api-server.ts'
import { startBackends } from './bed/backends.ts'
import { observe, countRefusals, settle } from './bed/gateway.ts'
import { appliable, namespacesOf, servicePortsOf } from './bed/surroundings.ts'
import type { Answer, RoutedRequest } from './envoy-routes.ts'
import { routeThroughGatewayApi } from './gateway-api-router.ts'
import { routeThroughIstio } from './istio-router.ts'
import { readRouterTables } from './router-tables.ts'
import { shortAnswer } from './short-answer.ts'

interface Probe {
  readonly title: string
  readonly request: RoutedRequest
  readonly expected: Answer
}

const server = await connectApiServer()
t.teardown(() => server.close())

t.test('the tables of the simulators', async (t) => {
  const tables = readRouterTables()
  const cases = [...tables.istio, ...tables.gatewayApi]
  const probes = [
    ...tables.istio.flatMap((entry) => probesOf(entry, routeThroughIstio)),
    ...tables.gatewayApi.flatMap((entry) => probesOf(entry, routeThroughGatewayApi)),
  ]
  await proveByRequests(
    t,
    cases.flatMap(({ objects }) => objects),
    probes,
  )
})

function probesOf(
  entry: ReturnType<typeof readRouterTables>['istio'][number],
  route: typeof routeThroughIstio,
): readonly Probe[] {
  return entry.requests.map(([request]) => ({ title: entry.title, request, expected: route(entry.objects, request) }))
}

/** Applies objects with the backends that they name, sends the requests, and takes the objects away again. */
async function proveByRequests(t: Test, objects: readonly JsonObject[], probes: readonly Probe[]): Promise<void> {
  const refusals = await countRefusals()
  const backends = await startBackends(servicePortsOf(objects))
  t.teardown(() => backends.close())
  const all = [...namespacesOf([...objects, ...backends.objects]), ...backends.objects, ...objects.map(appliable)]
  for (const object of all) await server.apply(object)
  await settle(server)
  t.equal((await countRefusals()) - refusals, 0, 'Envoy refuses nothing')
  for (const { title, request, expected } of probes)
    t.equal(await observe(request, expected), shortAnswer(expected), `${title}: ${lineOf(request)}`)
  await Promise.all(objects.map((object) => server.remove(object)))
}

function lineOf({ host, path, port }: RoutedRequest): string {
  return `${port === 443 ? 'https' : 'http'}://${host}${path}`
}
