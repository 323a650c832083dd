// The chart's schema of `config` beside the server's own reading of it. Needs no helm, so a developer who changes it sees it,
// the configuration.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MOVING, WIDENING } from '../../src/rules/ingress/route-annotations.ts'
import { DEFAULT_CONFIGURATION, parseConfiguration } from '../../src/config.ts'
import { arrayMember, isObject, member, memberAt, type Json } from '../../src/kubernetes/json.ts'

const SCHEMA = join(import.meta.dirname, '../../charts/istio-onramp/values.schema.json')

t.test('the schema allows the keys and values that the server allows, no more and no less', async (t) => {
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as Json
  const config = memberAt(schema, 'properties', 'config')
  t.same(leavesOf(config), leavesOfDefaults(DEFAULT_CONFIGURATION))
  for (const [path, values] of enumerationsOf(config))
    for (const value of values) t.doesNotThrow(() => parseConfiguration(nested(path, value), 'config.yaml'), path)
  t.throws(() => parseConfiguration(nested('rules.ingress', 'maybe'), 'config.yaml'), 'the server does refuse')
})

/** Paths of the settings in the schema of `config`. */
function leavesOf(schema: Json | undefined, path = ''): readonly string[] {
  const properties = member(schema, 'properties')
  if (!isObject(properties)) return [path.slice(1)]
  return Object.keys(properties)
    .flatMap((key) => leavesOf(properties[key], `${path}.${key}`))
    .sort()
}

/** The same of the server, without the lists that the chart has values of its own for; `selector` is a map of anything. */
function leavesOfDefaults(value: unknown, path = ''): readonly string[] {
  if (!isObject(value) || path.endsWith('.selector')) return [path.slice(1)]
  return Object.keys(value)
    .filter((key) => !['exemptNamespaces', 'controlPlaneNamespaces', 'certificates'].includes(key))
    .flatMap((key) => leavesOfDefaults(value[key], `${path}.${key}`))
    .sort()
}

function enumerationsOf(schema: Json | undefined, path = ''): readonly (readonly [string, readonly Json[]])[] {
  const properties = member(schema, 'properties')
  if (isObject(properties))
    return Object.keys(properties).flatMap((key) => enumerationsOf(properties[key], `${path}.${key}`))
  const values = arrayMember(schema, 'enum')
  return values.length === 0 ? [] : [[path.slice(1), values]]
}

function nested(path: string, value: Json): string {
  return JSON.stringify(path.split('.').reduceRight<Json>((inner, key) => ({ [key]: inner }), value))
}

t.test('the admission policy and the rule know the same annotations that change routes', (t) => {
  const template = readFileSync(join(SCHEMA, '../templates/_ingress.tpl'), 'utf8')
  const words = (name: string) =>
    (new RegExp(`define "istio-onramp\\.${name}" -}}\n(.*)\n`).exec(template)?.[1] ?? '')
      .replaceAll('[.]', '.')
      .split('|')
  t.same(words('wideningWords'), WIDENING)
  t.same(words('movingWords'), MOVING)
  t.end()
})
