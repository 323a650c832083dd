/**
 * The configuration file of `--config`: YAML, every key optional, unknown keys refused. The schema defines each key
 * once. Types, defaults, the chart's values.schema.json and docs/reference/configuration.md come from it.
 */
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { describeIssue } from './configuration-problems.ts'
import { InputError, messageOf } from './errors.ts'
import { DURATION, readDuration } from './kubernetes/duration.ts'
import { isObject } from './kubernetes/json.ts'
import { RULES_SETTINGS, type RuleConfiguration } from './rules/configuration.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
const MIB = 1024 * 1024

const duration = (fallback: string) =>
  z.string().regex(DURATION, 'a duration such as 8760h, 90m or 45s').default(fallback)

/** Read only with `--tls-self-managed`. */
const CERTIFICATES = z
  .strictObject({
    namespace: z.string().min(1).default('istio-onramp').describe('Namespace of the Secret.'),
    secretName: z
      .string()
      .min(1)
      .default('istio-onramp-self-managed')
      .describe('The Secret that holds the certificate authority. It is created if it does not exist.'),
    webhookConfiguration: z
      .string()
      .min(1)
      .default('istio-onramp')
      .describe(
        'Name of the MutatingWebhookConfiguration and the ValidatingWebhookConfiguration whose caBundle is kept.',
      ),
    hosts: z
      .array(z.string().min(1))
      .default(['istio-onramp.istio-onramp.svc'])
      .describe('DNS names and IP addresses of the serving certificate.'),
    authorityDuration: duration('8760h').describe('Lifetime of an authority. The next one is made after two thirds.'),
    leafDuration: duration('168h').describe('Lifetime of a serving certificate, which is renewed after two thirds.'),
    trustDelay: duration('2m').describe(
      'Time from a new authority in every caBundle until certificates are signed with it.',
    ),
  })
  .superRefine(({ authorityDuration, leafDuration, trustDelay }, context) => {
    const [authority = 0, leaf = 0, delay = 0] = [authorityDuration, leafDuration, trustDelay].map(readDuration)
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
    if (leaf < 10_000) refuse('leafDuration', `is "${leafDuration}"; at least 10s is required`)
    if (authority < 3 * leaf)
      refuse(
        'authorityDuration',
        `is "${authorityDuration}"; at least three times leafDuration (${leafDuration}) is required`,
      )
    if (authority < 6 * delay)
      refuse('trustDelay', `is "${trustDelay}"; at most a sixth of authorityDuration (${authorityDuration}) is allowed`)
  })
  .readonly()

export const CONFIGURATION = z
  .strictObject({
    rules: RULES_SETTINGS.prefault({}),
    cluster: z
      .strictObject({
        controlPlaneNamespaces: z
          .array(z.string())
          .default(['istio-system'])
          .describe('Namespaces in which the ConfigMaps istio and istio-sidecar-injector are read.'),
        unknownAfterSeconds: z
          .int()
          .min(60)
          .default(3600)
          .describe('Seconds without contact to the API server after which the last known state is no longer used.'),
      })
      .readonly()
      .prefault({}),
    certificates: CERTIFICATES.prefault({}),
    tls: z
      .strictObject({
        minVersion: z
          .enum(['VersionTLS12', 'VersionTLS13'])
          .default('VersionTLS13')
          .describe('Oldest version of TLS that the webhook accepts. Every API server speaks 1.3.'),
      })
      .readonly()
      .prefault({}),
    logLevel: z.enum(LOG_LEVELS).default('info').describe('Least severe level that is logged.'),
    limits: z
      .strictObject({
        requestBytes: z
          .int()
          .min(1024)
          .default(32 * MIB)
          .describe('Bytes of one request. A valid object of 3 MiB can arrive as 27 MB.'),
        inFlightBytes: z
          .int()
          .min(1024)
          .default(64 * MIB)
          .describe('Bytes of all requests in flight; at least limits.requestBytes.'),
      })
      .refine(({ requestBytes, inFlightBytes }) => requestBytes <= inFlightBytes, {
        path: ['requestBytes'],
        error: 'must not be greater than limits.inFlightBytes, or large requests could never be read',
      })
      .readonly()
      .prefault({}),
    shutdown: z
      .strictObject({
        drainSeconds: z
          .int()
          .min(0)
          .default(15)
          .describe('Seconds after SIGTERM in which requests are still answered, each with Connection: close.'),
        idleSeconds: z.int().min(0).default(5).describe('Seconds without a request after which the drain ends early.'),
      })
      .readonly()
      .prefault({}),
  })
  .readonly()

type Settings = z.infer<typeof CONFIGURATION>

export type Configuration = Omit<Settings, 'rules'> & { readonly rules: RuleConfiguration }

export const DEFAULT_CONFIGURATION: Configuration = withControlPlanes(CONFIGURATION.parse({}))

/** Throws InputError that names the file, the key, the value and the allowed values. */
export async function readConfiguration(file: string): Promise<Configuration> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InputError('configuration-invalid', [`${file}: ${messageOf(error)}`])
  })
  return parseConfiguration(source, file)
}

/** Throws InputError with all problems at once. */
export function parseConfiguration(source: string, file: string): Configuration {
  const document = parseDocument(source)
  const [error] = document.errors
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1
    throw new InputError('configuration-invalid', [`${file}, line ${line}: ${messageWithoutPlace(error.message)}`])
  }
  const given: unknown = document.toJS()
  const parsed = CONFIGURATION.safeParse(withoutNulls(given) ?? {}, { reportInput: true })
  if (parsed.success) return withControlPlanes(parsed.data)
  const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue, CONFIGURATION))
  throw new InputError(
    'configuration-invalid',
    problems.map((problem) => `${file}: ${problem}`),
  )
}

/** The first line of the parser's message, which repeats the place. */
function messageWithoutPlace(message: string): string {
  const [first = ''] = message.split('\n')
  const place = first.lastIndexOf(' at line ')
  return place === -1 ? first : first.slice(0, place)
}

/** The rules need the control planes' namespaces, because only a gateway in one of them is trusted. */
function withControlPlanes({ rules, ...others }: Settings): Configuration {
  const { controlPlaneNamespaces } = others.cluster
  return { ...others, rules: { ...rules, controlPlaneNamespaces } }
}

/** A key without a value gets its default. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  )
}
