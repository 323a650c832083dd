/**
 * A wildcard beside narrower hosts through a real Envoy, in both APIs: each host shows its own certificate and answers by its
 * own routes, whichever VirtualService or route is older. Run by hack/conversion/test.
 */
import t from 'tap'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { connectApiServer } from './support/envoy/api-server.ts'
import { observe, refusal, send } from './support/envoy/gateway.ts'
import { stage } from './support/envoy/stage.ts'
import { convert } from './support/conversion-fixtures.ts'
import type { RoutedRequest } from './support/envoy-routes.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { wildcardCases } from './support/wildcard-cases.ts'

const server = await connectApiServer()
t.teardown(() => server.close())

const CERTIFICATE_REQUIRED = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'

/** Istio serves a Gateway of the Gateway API only beside the pods of the gateway, where nothing is deployed for it. */
const TARGETS = [
  ['istio', 'wildcards', routeThroughIstio],
  ['gateway-api', 'istio-system', routeThroughGatewayApi],
] as const

for (const [target, namespace, route] of TARGETS)
  for (const [tag, olderIs] of [
    ['wide', isOfWildcard],
    ['narrow', (object: JsonObject) => !isOfWildcard(object)],
  ] as const)
    t.test(`converted to ${target}, what is ${tag} being older`, async (t) => {
      const cases = wildcardCases(target, namespace, tag)
      // Together, as Gateway API has one Gateway for all Ingresses of a class.
      const { objects } = convert(
        cases.flatMap(({ ingresses }) => ingresses),
        target,
      )
      await stage(
        t,
        server,
        objects.filter(olderIs),
        objects.filter((object) => !olderIs(object)),
      )
      for (const { title, requests, uncertified, certificates } of cases) {
        for (const [request, expected] of requests)
          t.equal(await observe(request, route(objects, request)), expected, `${title}: ${lineOf(request)}`)
        for (const request of uncertified)
          t.equal(await refusal(request), CERTIFICATE_REQUIRED, `${title}: ${lineOf(request)} without a certificate`)
        for (const [host, secret] of Object.entries(certificates)) {
          const reply = await send({ host, path: '/', port: 443 })
          t.match(reply?.certificate, new RegExp(`${secret}$`), `${title}: the certificate of ${host}`)
        }
      }
    })

/** Gateways and all else go with the narrower hosts. */
function isOfWildcard(object: JsonObject): boolean {
  const hosts = [memberAt(object, 'spec', 'hosts'), memberAt(object, 'spec', 'hostnames')].flat()
  return hosts.some((host) => String(host).startsWith('*'))
}

function lineOf({ host, path, port, serverName }: RoutedRequest): string {
  return `${port === 443 ? 'https' : 'http'}://${host}${path}${serverName === undefined ? '' : ` by ${serverName}`}`
}
