/**
 * Requests through a real Envoy that a real istiod configures, from the objects of the simulators' tables and from what
 * `convert` emits. Run by hack/conversion/test, which starts them.
 */
import t, { type Test } from 'tap'
import type { GatewaySettings, Target } from '../../src/conversion/model/conversion-options.ts'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { connectApiServer } from './support/envoy/api-server.ts'
import { observe } from './support/envoy/gateway.ts'
import { stage } from './support/envoy/stage.ts'
import { expectedAnswer, ingressesOf, optionsOf, readCases, type IngressCase } from './support/cases.ts'
import { neighbours } from './support/expected-routes.ts'
import { renamedCase } from './support/renamed-case.ts'
import type { Answer, RoutedRequest } from './support/envoy-routes.ts'
import { DEVIATIONS } from './support/gateway-api-deviations.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { platformGateway, SHARED } from './support/platform-gateway.ts'
import { readRouterTables } from './support/router-tables.ts'
import { shortAnswer } from './support/short-answer.ts'

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

const converted = (target: Target, gateway: Partial<GatewaySettings>) =>
  readCases()
    .filter(({ kind }) => kind !== 'class' && kind !== 'admission')
    .map((item, index) => {
      const renamed = renamedCase(item, `c${index}`)
      return { renamed, ...convertIngresses(ingressesOf(renamed), optionsOf(renamed, target, gateway)) }
    })
const toIstio = converted('istio', {})

t.test('the requests of every case, converted to istio', async (t) => {
  const probes = toIstio.flatMap(({ renamed, objects }) =>
    requestsOf(renamed).map((request) => ({
      title: renamed.id,
      request,
      expected: routeThroughIstio(objects, request),
    })),
  )
  for (const { renamed, objects } of toIstio)
    for (const request of renamed.expect.requests ?? [])
      t.equal(shortAnswer(routeThroughIstio(objects, request)), expectedAnswer(request), `${renamed.id} as it is known`)
  await proveByRequests(
    t,
    toIstio.flatMap(({ objects }) => objects.filter(isApplied)),
    probes,
  )
})

t.test('the same requests, converted to gateway-api for a shared Gateway that is as the report asks', async (t) => {
  const toGatewayApi = converted('gateway-api', { shared: SHARED })
  const gateway = platformGateway(toGatewayApi.flatMap(({ report }) => report))
  const all = [...gateway, ...toGatewayApi.flatMap(({ objects }) => objects.filter(isApplied))]
  const probes = toIstio.flatMap(({ renamed }) =>
    requestsOf(renamed).map((request) => ({
      title: renamed.id,
      request,
      expected: routeThroughGatewayApi(all, request),
    })),
  )
  await proveByRequests(t, all, probes)
  for (const { title, request, expected } of probes) {
    const isKnown = DEVIATIONS[title]?.paths?.test(request.path) === true
    if (!isKnown)
      t.equal(shortAnswer(expected), throughIstio(title, request), `both APIs, ${title}: ${lineOf(request)}`)
  }
})

function throughIstio(id: string, request: RoutedRequest): string {
  const objects = toIstio.filter(({ renamed }) => renamed.id === id).flatMap((conversion) => conversion.objects)
  return shortAnswer(routeThroughIstio(objects, request))
}

function requestsOf({ expect: { requests = [], routes = [], servers } }: IngressCase): readonly RoutedRequest[] {
  const ports = servers?.some(({ port }) => port === 443) === true ? [80, 443] : [80]
  return [...requests, ...neighbours(routes, ports)]
}

/** A CUSTOM policy names a provider of the mesh's configuration, which is the platform team's step. */
function isApplied(object: JsonObject): boolean {
  return memberAt(object, 'spec', 'action') !== 'CUSTOM'
}

async function proveByRequests(t: Test, objects: readonly JsonObject[], probes: readonly Probe[]): Promise<void> {
  await stage(t, server, objects)
  for (const { title, request, expected } of probes)
    t.equal(await observe(request, expected), shortAnswer(expected), `${title}: ${lineOf(request)}`)
}

function lineOf({ host, path, port }: RoutedRequest): string {
  return `${port === 443 ? 'https' : 'http'}://${host}${path}`
}
