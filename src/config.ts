/** The configuration file of `serve --config`: YAML, every key optional, unknown keys refused. */
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { InputError, messageOf } from './errors.ts'
import { isObject, member, typeName, type Json } from './kubernetes/json.ts'
import {
  DEFAULT_RULES,
  DELIVERY_VALUES,
  INGRESS_VALUES,
  PROBES_VALUES,
  PULL_POLICY_VALUES,
  TEMPLATES_VALUES,
  type RuleConfiguration,
} from './rules/configuration.ts'

export interface Configuration {
  readonly rules: RuleConfiguration
  readonly cluster: {
    /** Where the ConfigMaps `istio` and `istio-sidecar-injector` are read, and nothing else is. */
    readonly controlPlaneNamespaces: readonly string[]
    /** Seconds without a word from the API server after which what is known of the cluster no longer counts. */
    readonly unknownAfterSeconds: number
  }
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly limits: {
    /** Bytes of one request; a legal 3 MiB object can arrive as 27 MB (spec/apiserver.md section 8). */
    readonly requestBytes: number
    /** Bytes of all requests being read or decided together. */
    readonly inFlightBytes: number
  }
  readonly shutdown: {
    /** Seconds after SIGTERM in which requests are still taken, each answered with `Connection: close`. */
    readonly drainSeconds: number
    /** Seconds without a request after which the drain ends early. */
    readonly idleSeconds: number
  }
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
const MIB = 1024 * 1024

export const DEFAULT_CONFIGURATION: Configuration = {
  rules: DEFAULT_RULES,
  cluster: { controlPlaneNamespaces: ['istio-system'], unknownAfterSeconds: 3600 },
  logLevel: 'info',
  limits: { requestBytes: 32 * MIB, inFlightBytes: 128 * MIB },
  shutdown: { drainSeconds: 15, idleSeconds: 5 },
}

/** Reads one value; the problem names the allowed ones. */
type Reader = (value: Json) => { readonly value: unknown } | { readonly problem: string }
interface Section {
  readonly [key: string]: Reader | Section
}

const SCHEMA: Section = {
  rules: {
    probes: oneOf(PROBES_VALUES),
    templates: oneOf(TEMPLATES_VALUES),
    ingress: oneOf(INGRESS_VALUES),
    exemptNamespaces: listOfText,
    trustedIngressUsers: listOfText,
    prober: { image: text, pullPolicy: oneOf(PULL_POLICY_VALUES), delivery: oneOf(DELIVERY_VALUES) },
    gateway: {
      selector: textMap,
      namespace: text,
      shared: matching(/^(?:[a-z0-9-]+\/[a-z0-9.-]+)?$/, 'namespace/name, or nothing'),
      className: text,
      trustedProxies: wholeNumber(0),
      allowHostless: flag,
      defaultIssuer: matching(/^[a-z0-9.-]*$/, 'the name of a ClusterIssuer, or nothing'),
      clusterDomain: text,
    },
  },
  cluster: { controlPlaneNamespaces: listOfText, unknownAfterSeconds: wholeNumber(60) },
  logLevel: oneOf(LOG_LEVELS),
  limits: { requestBytes: wholeNumber(1024), inFlightBytes: wholeNumber(1024) },
  shutdown: { drainSeconds: wholeNumber(0), idleSeconds: wholeNumber(0) },
}

/** Throws InputError that names the file, the key and the allowed values. */
export async function readConfiguration(file: string): Promise<Configuration> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InputError('configuration-invalid', [`${file}: ${messageOf(error)}`])
  })
  return parseConfiguration(source, file)
}

export function parseConfiguration(source: string, file: string): Configuration {
  const document = parseDocument(source)
  const [error] = document.errors
  if (error !== undefined)
    throw new InputError('configuration-invalid', [
      `${file}, line ${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0] ?? ''}`,
    ])
  const problems: string[] = []
  const merged = mergeSection(document.toJS() as Json, SCHEMA, DEFAULT_CONFIGURATION, '', problems)
  if (problems.length > 0)
    throw new InputError(
      'configuration-invalid',
      problems.map((problem) => `${file}: ${problem}`),
    )
  return merged as unknown as Configuration
}

/** `defaults` with what the file says in its place; collects every problem on the way. */
function mergeSection(
  given: Json,
  section: Section,
  defaults: object,
  path: string,
  problems: string[],
): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...defaults }
  if (given === null) return merged
  if (!isObject(given)) {
    problems.push(`${path === '' ? 'the file' : path}: must be a map, not ${typeName(given)}`)
    return merged
  }
  for (const key of Object.keys(given)) {
    const field = path === '' ? key : `${path}.${key}`
    const reader = Object.hasOwn(section, key) ? section[key] : undefined
    const value = member(given, key) ?? null
    if (reader === undefined) problems.push(`${field}: unknown key, allowed are ${Object.keys(section).join(', ')}`)
    else if (typeof reader !== 'function')
      merged[key] = mergeSection(value, reader, (defaults as Record<string, object>)[key] ?? {}, field, problems)
    else merged[key] = readValue(reader, value, field, problems)
  }
  return merged
}

function readValue(reader: Reader, value: Json, field: string, problems: string[]): unknown {
  const read = reader(value)
  if ('value' in read) return read.value
  problems.push(`${field}: ${read.problem}`)
  return undefined
}

function oneOf(allowed: readonly string[]): Reader {
  return (value) =>
    typeof value === 'string' && allowed.includes(value)
      ? { value }
      : { problem: `is ${JSON.stringify(value)}, allowed are ${allowed.join(', ')}` }
}

function text(value: Json): ReturnType<Reader> {
  return typeof value === 'string' && value !== '' ? { value } : { problem: 'must be a text' }
}

function flag(value: Json): ReturnType<Reader> {
  return typeof value === 'boolean' ? { value } : { problem: `is ${JSON.stringify(value)}, allowed are true, false` }
}

function matching(pattern: RegExp, allowed: string): Reader {
  return (value) =>
    typeof value === 'string' && pattern.test(value)
      ? { value }
      : { problem: `is ${JSON.stringify(value)}, allowed is ${allowed}` }
}

function listOfText(value: Json): ReturnType<Reader> {
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string')
  return isList ? { value } : { problem: 'must be a list of texts' }
}

function textMap(value: Json): ReturnType<Reader> {
  const isMap = isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')
  return isMap ? { value } : { problem: 'must be a map of texts' }
}

function wholeNumber(least: number): Reader {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= least
      ? { value }
      : { problem: `is ${JSON.stringify(value)}, a whole number of at least ${least} is required` }
}
