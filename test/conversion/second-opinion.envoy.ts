/**
 * Istio's own code about `convert`: its validation takes every object, and its Ingress controller, given the same Ingresses
 * of class istio, routes the same requests to the same backends, but for the differences that a table explains. Run by
 * hack/conversion/test.
 */
import fc from 'fast-check'
import t from 'tap'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { startOracle } from './support/envoy/oracle.ts'
import { ingressesOf, optionsOf, readCases } from './support/cases.ts'
import type { RoutedRequest } from './support/envoy-routes.ts'
import { generatedConversions, HOSTS, ingresses, options } from './support/generated-ingresses.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { shortAnswer } from './support/short-answer.ts'
import { TARGETS } from './support/targets.ts'

const oracle = startOracle()
t.teardown(() => oracle.close())

t.test("Istio's validation refuses what is wrong", async (t) => {
  const spec = { hosts: ['a', 'a'], gateways: ['g'], http: [{ redirect: { uri: '/' } }] }
  const wrong = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a', namespace: 'b' },
    spec,
  }
  t.match(await oracle.refusals([wrong]), [/duplicate hosts/])
})

for (const target of TARGETS)
  t.test(`Istio's validation takes what is converted to ${target}`, async (t) => {
    const cases = readCases().flatMap((item) => convertIngresses(ingressesOf(item), optionsOf(item, target)).objects)
    const generated = generatedConversions(target, 400).flatMap(({ objects }) => objects)
    t.same(
      [...new Set((await oracle.refusals([...cases, ...generated])).map((text) => text.split(': {"apiVersion')[0]))],
      [],
      `${cases.length + generated.length} objects`,
    )
  })

interface Difference {
  readonly given: readonly JsonObject[]
  readonly request: RoutedRequest
  readonly ours: string
  readonly theirs: string
}

/** Why an answer differs from that of Istio's controller; a reason that is not seen any more fails. */
const EXPLANATIONS: Readonly<Record<string, (difference: Difference) => boolean>> = {
  'Istio ignores spec.defaultBackend': ({ given, ours }) => given.some((ingress) => isDefaultBackend(ingress, ours)),
  'Istio takes /a.* for whole path elements, and so /a alone': ({ given, request }) =>
    hasPath(given, (path) => path.endsWith('.*')) && /^\/(a|foo)/.test(request.path),
}

t.test("Istio's own Ingress controller routes alike, or the difference is explained", async (t) => {
  const samples = fc
    .sample(ingresses(fc.constant({}), ['istio']), { seed: 11, numRuns: 400 })
    .filter((given) => given.every(isValid))
  const seen = new Map<string, number>()
  const unexplained: string[] = []
  let asked = 0
  for (const given of samples) {
    const theirs = await oracle.convert(given, SERVICES)
    const istio = options('istio')
    const ours = convertIngresses(given, { ...istio, gateway: { ...istio.gateway, allowHostless: true } }).objects
    for (const request of REQUESTS) {
      asked += 1
      const difference = { given, request, ours: answerOf(ours, request), theirs: answerOf(theirs, request) }
      if (difference.ours === difference.theirs) continue
      const [reason] = Object.entries(EXPLANATIONS).find(([, explains]) => explains(difference)) ?? []
      if (reason === undefined)
        unexplained.push(
          `${difference.ours} | ${difference.theirs} | ${request.host}${request.path} | ${JSON.stringify(given.map((ingress) => ingress['spec']))}`,
        )
      else seen.set(reason, (seen.get(reason) ?? 0) + 1)
    }
  }
  t.comment(`${samples.length} inputs, ${asked} requests; explained: ${JSON.stringify([...seen])}`)
  t.same(unexplained.slice(0, 3), [], `${unexplained.length} unexplained of ${asked}`)
  t.same([...seen.keys()].toSorted(), Object.keys(EXPLANATIONS).toSorted(), 'every explanation is seen')
})

/** A host that nobody has is refused by a Gateway that names its hosts, and 404 by Istio's, which takes `*`. */
function answerOf(objects: readonly JsonObject[], request: RoutedRequest): string {
  const text = shortAnswer(routeThroughIstio(objects, request))
  return text === 'refused' ? '404' : text
}

function isDefaultBackend(ingress: JsonObject, answer: string): boolean {
  const name = memberAt(ingress, 'spec', 'defaultBackend', 'service', 'name')
  return name !== undefined && answer.startsWith(`${String(name)}.`)
}

function hasPath(given: readonly JsonObject[], test: (path: string) => boolean): boolean {
  return given.flatMap(pathsOf).some((path) => test(stringMember(path, 'path') ?? ''))
}

function pathsOf(ingress: JsonObject): readonly Json[] {
  return arrayMember(member(ingress, 'spec'), 'rules').flatMap((rule) => arrayMember(member(rule, 'http'), 'paths'))
}

/** As the API server has it: absolute paths for Prefix and Exact, a backend with something in it. */
function isValid(ingress: JsonObject): boolean {
  const backends = [
    ...pathsOf(ingress).map((path) => member(path, 'backend')),
    memberAt(ingress, 'spec', 'defaultBackend'),
  ]
  const isPath = (path: Json) =>
    (stringMember(path, 'path') ?? '').startsWith('/') || stringMember(path, 'pathType') === 'ImplementationSpecific'
  return (
    pathsOf(ingress).every(isPath) &&
    backends.every((backend) => backend === undefined || Object.keys(backend as JsonObject).length > 0)
  )
}

const SERVICES: readonly JsonObject[] = ['ns-a', 'ns-b'].flatMap((namespace) =>
  ['web', 'api', 'canary'].map((name) => ({
    metadata: { namespace, name },
    spec: {
      ports: [
        { name: 'http', port: 80 },
        { name: 'other', port: 8080 },
      ],
    },
  })),
)

const REQUESTS: readonly RoutedRequest[] = [
  ...new Set(
    [...HOSTS, '*.example.test', 'else.test'].map((host) => host.replace('*', 'any').replace(/^$/, 'none.test')),
  ),
].flatMap((host) =>
  [
    '/',
    '/foo',
    '/foo/',
    '/foo/bar',
    '/foo/x',
    '/foobar',
    '/Foo',
    '/a',
    '/abc',
    '/a/b',
    '/v1/x',
    '/x.y',
    '/x.y/z',
    '/none',
  ].map((path) => ({ host, path })),
)
