/**
 * Requests through a real Envoy that a real istiod configures, from the objects of the simulators' tables and from what
 * `convert` emits. Run by hack/conversion/test, which starts them.
 */
import t, { type Test } from 'tap'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { SERVING } from '../api-server/objects.ts'
import { connectApiServer } from './bed/api-server.ts'
import { startBackends } from './bed/backends.ts'
import { observe, countRefusals, settle } from './bed/gateway.ts'
import { appliable, namespacesOf, secretsOf, servicePortsOf } from './bed/surroundings.ts'
import { expectedAnswer, ingressesOf, optionsOf, readCases, type IngressCase } from './cases.ts'
import { neighbours } from './expected-routes.ts'
import { renamedCase } from './renamed-case.ts'
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

for (const target of ['istio'] as const)
  t.test(`the requests of every case, converted to ${target}`, async (t) => {
    const conversions = readCases()
      .filter(({ kind }) => kind !== 'class' && kind !== 'admission')
      .map((item, index) => {
        const renamed = renamedCase(item, `c${index}`)
        return { renamed, ...convertIngresses(ingressesOf(renamed), optionsOf(renamed, target)) }
      })
    const probes = conversions.flatMap(({ renamed, objects }) =>
      requestsOf(renamed).map((request) => ({
        title: renamed.id,
        request,
        expected: routeThroughIstio(objects, request),
      })),
    )
    for (const { renamed, objects } of conversions)
      for (const request of renamed.expect.requests ?? [])
        t.equal(
          shortAnswer(routeThroughIstio(objects, request)),
          expectedAnswer(request),
          `${renamed.id} as it is known`,
        )
    await proveByRequests(
      t,
      conversions.flatMap(({ objects }) => objects.filter(isApplied)),
      probes,
    )
  })

function requestsOf({ expect: { requests = [], routes = [], servers } }: IngressCase): readonly RoutedRequest[] {
  const ports = servers?.some(({ port }) => port === 443) === true ? [80, 443] : [80]
  return [...requests, ...neighbours(routes, ports)]
}

/** A CUSTOM policy names a provider of the mesh's configuration, which is the platform team's step. */
function isApplied(object: JsonObject): boolean {
  return memberAt(object, 'spec', 'action') !== 'CUSTOM'
}

/** Applies objects with the backends and certificates that they name, sends the requests, and takes the objects away again. */
async function proveByRequests(t: Test, objects: readonly JsonObject[], probes: readonly Probe[]): Promise<void> {
  const refusals = await countRefusals()
  const backends = await startBackends(servicePortsOf(objects))
  t.teardown(() => backends.close())
  const around = [...backends.objects, ...secretsOf(objects, SERVING)]
  const all = [...namespacesOf([...objects, ...around]), ...around, ...objects.map(appliable)]
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
