/** What holds of every conversion, whatever the Ingresses. */
import fc from 'fast-check'
import t from 'tap'
import { convertIngresses, type Conversion } from '../../src/conversion/convert-ingresses.ts'
import { arrayMember, member, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { shortAnswer } from './support/short-answer.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { HOSTS, ingresses, options, plainIngresses } from './support/generated-ingresses.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { TARGETS } from './support/targets.ts'
import { propertyRuns, triedText } from '../support/property-runs.ts'

const RUNS = propertyRuns(50)
const COMPARED = propertyRuns(250)

for (const target of TARGETS) {
  t.test(`the same input gives the same bytes, to ${target}`, (t) => {
    fc.assert(
      fc.property(ingresses(), (given) => {
        const [one, two] = [given, structuredClone(given)].map((objects) => convertIngresses(objects, options(target)))
        return JSON.stringify([one?.objects, one?.report]) === JSON.stringify([two?.objects, two?.report])
      }),
      RUNS,
    )
    t.end()
  })

  t.test(`each annotation is accounted for exactly once, each field at least, and in one line, to ${target}`, (t) => {
    fc.assert(
      fc.property(ingresses(), (given) => {
        const conversion = convertIngresses(given, options(target))
        for (const ingress of given) checkAccount(ingress, conversion)
      }),
      RUNS,
    )
    t.end()
  })

  t.test(`an Ingress alone is not worse for the company of one that cannot be converted, to ${target}`, (t) => {
    const broken = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace: 'other', name: 'broken' },
      spec: { rules: 7, tls: 'x' },
    }
    fc.assert(
      fc.property(ingresses(), (given) => {
        const alone = convertIngresses(given, options(target)).objects
        const together = convertIngresses([...given, broken], options(target)).objects
        return JSON.stringify(alone) === JSON.stringify(together)
      }),
      RUNS,
    )
    t.end()
  })

  t.test(`no two objects of one kind have the same name, to ${target}`, (t) => {
    fc.assert(
      fc.property(ingresses(), (given) => {
        const ids = convertIngresses(given, options(target)).objects.map(
          (object) =>
            `${object['kind']} ${String(memberAt(object, 'metadata', 'namespace'))}/${String(memberAt(object, 'metadata', 'name'))}`,
        )
        if (new Set(ids).size !== ids.length) throw new Error(ids.join('\n'))
      }),
      RUNS,
    )
    t.end()
  })
}

function checkAccount(ingress: JsonObject, { report }: Conversion): void {
  const id = `${String(memberAt(ingress, 'metadata', 'namespace'))}/${String(memberAt(ingress, 'metadata', 'name'))}`
  const own = report.filter((line) => line.ingress === id)
  const problems = [
    ...Object.keys((memberAt(ingress, 'metadata', 'annotations') ?? {}) as JsonObject).flatMap((key) => {
      const count = own.filter(({ about }) => about === key).length
      return count === 1 ? [] : [`${key}: ${count} lines`]
    }),
    ...fieldsOf(ingress)
      .filter((field) => !own.some(({ about }) => about.startsWith(field) || field.startsWith(about)))
      .map((field) => `${field}: no line`),
    ...own
      .filter(({ message }) => /[\r\n]/.test(message) || message === '')
      .map(({ about }) => `${about}: not one line of text`),
  ]
  if (problems.length > 0) throw new Error(`${id}: ${problems.join('; ')}\n${JSON.stringify(own, null, 1)}`)
}

function fieldsOf(ingress: JsonObject): readonly string[] {
  const spec = member(ingress, 'spec')
  const each = (value: Json | undefined, key: string, prefix: string) =>
    arrayMember(value, key).map((entry, index) => [entry, `${prefix}[${index}]`] as const)
  return [
    ...each(spec, 'rules', 'spec.rules').flatMap(([rule, field]) => {
      const paths = each(member(rule, 'http'), 'paths', `${field}.http.paths`)
      return paths.length === 0 ? [field] : paths.map(([, name]) => name)
    }),
    ...each(spec, 'tls', 'spec.tls').map(([, field]) => field),
    ...(member(spec, 'defaultBackend') === undefined ? [] : ['spec.defaultBackend']),
  ]
}

t.test('where the report calls everything converted, both targets answer every request alike', (t) => {
  let compared = 0
  const isExact = ({ report }: Conversion) =>
    report.every(({ outcome }) => ['converted', 'not-needed', 'foreign'].includes(outcome))
  fc.assert(
    fc.property(fc.oneof(plainIngresses(), ingresses()), (given) => {
      const [istio, api] = [convertIngresses(given, options('istio')), convertIngresses(given, options('gateway-api'))]
      if (!isExact(api) || istio.report.some(({ outcome }) => outcome === 'unsupported' || outcome === 'approximate'))
        return
      if (istio.objects.length === 0) return
      for (const host of HOSTS.filter(Boolean).map((name) => name.replace('*', 'any')))
        for (const path of ['/', '/foo', '/foo/', '/foo/bar/x', '/foobar', '/Foo', '/x.y', '/v1/x', '/none'])
          for (const port of [80, 443]) {
            compared += 1
            const [one, two] = [
              shortAnswer(routeThroughIstio(istio.objects, { host, path, port })),
              shortAnswer(routeThroughGatewayApi(api.objects, { host, path, port })),
            ]
            const isNowhere = [one, two].every((answer) => answer === '404' || answer === 'refused')
            if (one !== two && !isNowhere) throw new Error(`${port} ${host}${path}: ${one}, Gateway API ${two}`)
          }
    }),
    COMPARED,
  )
  t.ok(compared > COMPARED.numRuns, `${compared} requests compared, ${triedText(COMPARED, 'inputs')}`)
  t.end()
})
