/**
 * What `convert` emits is taken by a real API server with the real definitions of Istio, the Gateway API and cert-manager,
 * their CEL rules included, and has no field that those do not know. Run by hack/conversion/test.
 */
import t from 'tap'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import { connectApiServer } from './support/envoy/api-server.ts'
import { namespacesOf } from './support/envoy/surroundings.ts'
import { ingressesOf, optionsOf, readCases } from './support/cases.ts'
import { generatedConversions } from './support/generated-ingresses.ts'
import { TARGETS } from './support/targets.ts'

const server = await connectApiServer()
t.teardown(() => server.close())

t.test('the API server refuses what is wrong', async (t) => {
  const spec = { hosts: ['a'], gateways: ['g'], http: [{ redirect: { uri: '/' }, unknown: 1 }] }
  const wrong = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'wrong', namespace: 'default' },
    spec,
  }
  t.match(await server.refusal(wrong), /unknown/)
  const path = { type: 'PathPrefix', value: '/a//b' }
  const route = { rules: [{ matches: [{ path }] }] }
  const httpRoute = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'wrong', namespace: 'default' },
    spec: route,
  }
  t.match(await server.refusal(httpRoute), /must not contain '\/\/'/, 'a CEL rule')
})

for (const target of TARGETS) {
  t.test(`every case, converted to ${target}`, async (t) => {
    const cases = readCases().filter(({ kind }) => kind !== 'class')
    const objects = cases.flatMap((item) => convertIngresses(ingressesOf(item), optionsOf(item, target)).objects)
    await checkAll(t, objects)
  })

  t.test(`generated Ingresses, converted to ${target}`, async (t) => {
    await checkAll(
      t,
      generatedConversions(target, 200).flatMap(({ objects }) => objects),
    )
  })
}

async function checkAll(
  t: { readonly same: (given: unknown, wanted: unknown, title: string) => void },
  objects: readonly JsonObject[],
): Promise<void> {
  for (const namespace of namespacesOf(objects)) await server.apply(namespace)
  const refusals: string[] = []
  for (const object of objects) {
    const refusal = await server.refusal(object)
    if (refusal !== undefined) refusals.push(refusal)
  }
  t.same([...new Set(refusals)].slice(0, 20), [], `${objects.length} objects`)
}
