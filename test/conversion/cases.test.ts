/** Every known case: converted to both targets and its requests sent through the simulators of Istio's routing, or admitted. */
import t, { type Test } from 'tap'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { convertIngresses } from '../../src/conversion/convert-ingresses.ts'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import type { ReportLine } from '../../src/conversion/model/report.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { referenceTo } from '../../src/kubernetes/object.ts'
import { ingressRule } from '../../src/rules/ingress/ingress-rule.ts'
import { contextOf, DEFAULT_INSTALL, istioInstall, namespaceObject } from '../support/fixtures.ts'
import {
  expectedAnswer,
  ingressesOf,
  ingressObject,
  optionsOf,
  readCases,
  type ExpectedServer,
  type IngressCase,
} from './support/cases.ts'
import type { Answer, RoutedRequest } from './support/envoy-routes.ts'
import { expectedObjects, neighbours } from './support/expected-routes.ts'
import { hasExtra } from './support/extra-objects.ts'
import { DEVIATIONS, type Deviation } from './support/gateway-api-deviations.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { fullMatch } from './support/re2.ts'
import { servedHosts } from './support/served-hosts.ts'
import { shortAnswer } from './support/short-answer.ts'

type Router = (objects: readonly JsonObject[], request: RoutedRequest) => Answer

const TARGETS: readonly (readonly [Target, Router])[] = [
  ['istio', routeThroughIstio],
  ['gateway-api', routeThroughGatewayApi],
]
const LEVELS = { info: 'info', warning: 'warn', error: 'error' } as const

/** Which field or annotation each notification of a case is about: the cases say it in their own words. */
const SUBJECTS: Readonly<Record<string, readonly RegExp[]>> = {
  'k8s-path-17': [/^spec\.defaultBackend$/],
  'k8s-host-02': [/^spec\.rules\[2\]/],
  'istio-golden-tls-no-secret': [/^spec\.tls\[0\]/],
  'i2g-resource-and-default': [/^spec\.rules\[0\]\.http\.paths\[0\]/, /^spec\.defaultBackend$/],
  'i2g-grpc': [/\/backend-protocol$/],
  'i2g-unknown-backend-protocol': [/\/backend-protocol$/],
  'i2g-tls-selfsigned-note': [/^spec\.tls$/],
  'ngx-rewrite-static': [/\/rewrite-target$/],
  'ngx-app-root-absolute': [/\/app-root$/],
  'ngx-www': [/\/from-to-www-redirect$/],
  'ngx-canary-alone': [/\/canary$|^spec\.rules\[0\]/],
  'ngx-cors-defaults': [/\/(enable-cors|cors-allow-origin)$/],
  'ngx-timeouts': [/\/proxy-read-timeout$/],
  'ngx-body-size': [/\/proxy-body-size$/],
  'ngx-mesh-idiom': [/\/(service-upstream|upstream-vhost)$/],
  'ngx-auth-url': [/\/auth-url$/],
  'ngx-limit-rps': [/\/limit-rps$/],
  'cm-namespaced-issuer': [/^cert-manager\.io\/issuer$/],
  'dns-ingress-hostname-source': [/\/ingress-hostname-source$/],
  'empty-http': [/^spec\.rules\[0\]/],
  'rule-host-not-in-tls': [/^spec\.tls/],
  'cross-ns-same-host': [/^spec\.rules\[0\]/],
}

const GATEWAY_SERVICE: JsonObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' },
  spec: { selector: { istio: 'ingressgateway' }, ports: [{ port: 80 }] },
}

/** Where the report is of another opinion than the case. */
const VERDICTS: Readonly<Record<string, readonly [verdict: string, reason: string]>> = {
  'ngx-timeouts': ['exact', 'idle timers that Istio does not have are not needed, as the notification says'],
  'ngx-auth-url': ['exact', 'with the steps of the platform team, oauth2-proxy checks and redirects as before'],
}

const cases = readCases()

t.equal(cases.length, 68, 'none is left out')

for (const [target, route] of TARGETS)
  t.test(`every case is converted to ${target}`, (t) => {
    for (const item of cases.filter(({ kind }) => kind !== 'class' && kind !== 'admission'))
      t.test(`${item.id}: ${item.title}`, (t) => checkConversion(t, item, target, route))
    t.end()
  })

function checkConversion(t: Test, item: IngressCase, target: Target, route: Router): void {
  const { objects, report } = convertIngresses(ingressesOf(item), optionsOf(item, target))
  const { verdict, servers, extra = [], notifications = [] } = item.expect
  const deviation = target === 'gateway-api' ? DEVIATIONS[item.id] : undefined
  checkRequests(t, item, (request) => route(objects, request), deviation)
  if (servers !== undefined) t.same(servedHosts(objects), expectedHosts(servers, target), 'servers')
  if (deviation?.leavesOut?.includes('extra') !== true)
    for (const wanted of extra) t.ok(hasExtra(objects, report, wanted, target), `has ${JSON.stringify(wanted)}`)
  if (deviation?.leavesOut?.includes('notifications') !== true)
    for (const [index, { level, about }] of notifications.entries())
      t.ok(
        report.some((line) => line.level === LEVELS[level] && SUBJECTS[item.id]?.[index]?.test(line.about) === true),
        `${level}: ${about}`,
      )
  if (verdict !== undefined)
    t.equal(verdictOf(report), deviation?.verdict ?? VERDICTS[item.id]?.[0] ?? verdict, 'verdict')
  t.end()
}

function checkRequests(
  t: Test,
  { expect }: IngressCase,
  ask: (request: RoutedRequest) => Answer,
  deviation: Deviation | undefined,
): void {
  const { requests = [], routes = [], servers } = expect
  const expected = expectedObjects(routes, servers)
  const ports = servers?.some(({ port }) => port === 443) === true ? [80, 443] : [80]
  const known = requests.map((request) => [request, expectedAnswer(request), undefined] as const)
  const derived = neighbours(routes, ports).map((request) => {
    const answer = routeThroughIstio(expected, request)
    return [request, shortAnswer(answer), corsText(answer)] as const
  })
  const deviating = new Set<string>()
  for (const [request, wanted, cors] of [...known, ...derived]) {
    const answer = ask(request)
    const line = `${request.port ?? 80}:${request.host}${request.path}`
    if (deviation?.paths?.test(request.path) === true) deviating.add(`${shortAnswer(answer) !== wanted}`)
    else t.equal(shortAnswer(answer), wanted, line)
    if (cors !== undefined) t.equal(corsText(answer), cors, `CORS of ${line}`)
  }
  if (deviation?.paths !== undefined) t.ok(deviating.has('true'), `still so: ${deviation.reason}`)
}

/** A policy by what it allows; of the origins, which of three it takes. */
function corsText(answer: Answer): string | undefined {
  if (answer.kind !== 'backend' || answer.cors === undefined) return undefined
  const { allowOrigins, allowCredentials, maxAge, ...lists } = answer.cors as JsonObject & {
    allowOrigins: readonly JsonObject[]
  }
  const origins = ['https://a.example', 'http://a.example', 'https://b.example'].filter((origin) =>
    allowOrigins.some((match) => takes(match, origin)),
  )
  return JSON.stringify([
    origins,
    allowCredentials,
    maxAge,
    Object.entries(lists).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  ])
}

function takes(match: JsonObject, text: string): boolean {
  const { exact, prefix, regex } = match as Readonly<Record<string, string | undefined>>
  return (
    text === exact ||
    (prefix !== undefined && text.startsWith(prefix)) ||
    (regex !== undefined && fullMatch(regex, text))
  )
}

/** In Gateway API one listener takes plain requests for every host that a route names. */
function expectedHosts(servers: readonly ExpectedServer[], target: Target): readonly string[] {
  const lines = servers
    .flatMap(hostLines)
    .map((line) => (target === 'gateway-api' ? line.replace(/^80 HTTP .*$/, '80 HTTP *') : line))
  return [...new Set(lines)].toSorted()
}

function hostLines({ port, protocol, hosts, tls }: ExpectedServer): readonly string[] {
  const security = tls === undefined ? [] : [tls.mode, ...(tls.secretFrom === undefined ? [] : [tls.secretFrom])]
  return hosts.map((host) => [String(port), protocol, host, ...security].join(' '))
}

/** The worst that the report says of anything. */
function verdictOf(report: readonly ReportLine[]): string {
  if (report.some(({ outcome }) => outcome === 'unsupported')) return 'partial'
  return report.some(({ outcome }) => outcome === 'approximate') ? 'approximate' : 'exact'
}

t.test('Istio serves an Ingress by its class, as every case says', (t) => {
  for (const { id, title, mode = '', ingress, expect } of cases.filter(({ kind }) => kind === 'class')) {
    const object = ingressObject({ ...ingress, ...classOf(ingress.ingressClassController) })
    // With an IngressClass of another controller beside the annotation, that controller may serve it besides Istio.
    const isShared =
      ingress.annotations?.['kubernetes.io/ingress.class'] !== undefined && ingress.ingressClassController === 'foo'
    const reason = expect.istioServesIt === true && !isShared ? 'ingress-istio-class' : 'ingress-in-mesh'
    const mesh = { ingressControllerMode: mode }
    t.equal(
      admit(object, 'CREATE', undefined, [...classObjects(ingress.ingressClassController)], mesh).reason,
      reason,
      `${id}: ${title}`,
    )
  }
  t.end()
})

t.test('every case of an Ingress at admission', (t) => {
  for (const { id, title, operation, oldEqualsNew, ingress, expect } of cases.filter(
    ({ kind }) => kind === 'admission',
  )) {
    const object = ingressObject(ingress)
    const more = [...classObjects(ingress.ingressClassController, ingress.class), GATEWAY_SERVICE]
    // Removing a finalizer leaves the spec alone.
    const isSame = oldEqualsNew === true || ingress.deletionTimestamp !== undefined
    const old = operation === 'UPDATE' ? (isSame ? object : { ...object, spec: {} }) : undefined
    const { action, warnings } = admit(object, operation === 'UPDATE' ? 'UPDATE' : 'CREATE', old, more)
    const isDenied = expect.admission?.startsWith('deny') === true
    t.equal(action === 'deny', isDenied, `${id}: ${title}`)
    t.equal(warnings > 0, (expect.warnings ?? []).length > 0, `${id}: warnings`)
  }
  t.end()
})

function classOf(controller: string | undefined): { readonly class?: string } {
  return controller === undefined ? {} : { class: 'of-the-case' }
}

function classObjects(controller: string | undefined, name = 'of-the-case'): readonly JsonObject[] {
  if (controller === undefined) return []
  return [{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec: { controller } }]
}

interface Admission {
  readonly action: string
  readonly reason: string
  readonly warnings: number
}

/** In a cluster where every namespace of the cases is in the mesh. */
function admit(
  object: JsonObject,
  operation: 'CREATE' | 'UPDATE',
  oldObject: JsonObject | undefined,
  more: readonly JsonObject[],
  mesh: JsonObject = {},
): Admission {
  const namespaces = [...new Set(cases.map(({ ingress }) => ingress.ns))]
  const { state, problems } = buildClusterState([
    ...istioInstall(DEFAULT_INSTALL, {}, { mesh }),
    ...namespaces.map((name) => namespaceObject(name, { 'istio-injection': 'enabled' })),
    ...more,
  ])
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  const request = { operation, reference: referenceTo(object), object, oldObject, user: '' }
  const { decisions, warnings } = ingressRule.apply(request, contextOf(state))
  return { action: decisions[0]?.action ?? '', reason: decisions[0]?.reason ?? '', warnings: warnings.length }
}
