/**
 * What the self-managed certificates are kept in: one Secret, and the CA bundles of the webhook configurations. Every
 * write depends on the version that was read, so of two replicas that write at once the second is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { arrayMember, member, stringMap, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { metadataOf } from '../../kubernetes/object.ts'
import { ApiError, isNotFound } from './api-error.ts'
import { createBackoff } from './backoff.ts'
import type { ClusterApi, ObjectWrite } from './cluster-api.ts'

export interface CertificateStoreOptions {
  readonly api: ClusterApi
  readonly namespace: string
  readonly secretName: string
  /** The name of both webhook configurations. */
  readonly configurationName: string
}

export interface StoredSecret {
  /** Decoded values by key. */
  readonly data: Readonly<Record<string, string>>
  readonly object: JsonObject
}

export interface StoredConfiguration {
  /** `mutatingwebhookconfigurations/istio-onramp` */
  readonly configuration: string
  /** Whether an annotation hands the bundle to cert-manager's cainjector. */
  readonly isInjected: boolean
  readonly webhooks: readonly { readonly name: string; readonly caBundle: string }[]
  readonly object: JsonObject
}

/** The owner of caBundle in `metadata.managedFields`. */
export const FIELD_MANAGER = 'istio-onramp-certificates'

const PLURALS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const
const GROUP = 'admissionregistration.k8s.io/v1'
/** https://cert-manager.io/docs/concepts/ca-injector/ */
const INJECTED = [
  'cert-manager.io/inject-ca-from',
  'cert-manager.io/inject-ca-from-secret',
  'cert-manager.io/inject-apiserver-ca',
]
/** Bookmarks arrive once a minute. */
const SILENCE = 90_000
const RETRY = { least: 1_000, most: 30_000 }

export class CertificateStore {
  readonly #options: CertificateStoreOptions
  /** Helm takes a Secret that was restored for its own by these. */
  #marks: JsonObject = {}

  constructor(options: CertificateStoreOptions) {
    this.#options = options
  }

  /** Milliseconds since 1970 by the clock of the API server. */
  now(): number {
    return this.#options.api.serverTime()
  }

  /** Returns the configurations that exist. Throws ApiError. */
  async readConfigurations(signal: AbortSignal): Promise<readonly StoredConfiguration[]> {
    const { api, configurationName } = this.#options
    const read = await Promise.all(
      PLURALS.map(async (plural) => {
        const object = await unlessNotFound(api.get(pathOf(plural, configurationName), signal))
        return object === undefined ? [] : [describeConfiguration(`${plural}/${configurationName}`, object)]
      }),
    )
    return read.flat()
  }

  /** Returns undefined if there is none. Throws ApiError. */
  async readSecret(signal: AbortSignal): Promise<StoredSecret | undefined> {
    const object = await unlessNotFound(this.#options.api.get(this.#secretPath(), signal))
    if (object === undefined) return undefined
    const { labels = {}, annotations = {} } = metadataOf(object)
    this.#marks = { labels, annotations }
    return { data: decode(member(object, 'data')), object }
  }

  /** Returns whether it is stored; false if the Secret has changed since it was read. Throws ApiError. */
  async writeSecret(
    data: Readonly<Record<string, string>>,
    over: StoredSecret | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { namespace, secretName: name } = this.#options
    const encoded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, toBase64(text)]))
    const type = { apiVersion: 'v1', kind: 'Secret' }
    if (over !== undefined)
      return await this.#write(this.#secretPath(), put({ ...type, ...over.object, data: encoded }), signal)
    const created = { ...type, type: 'Opaque', metadata: { name, namespace, ...this.#marks }, data: encoded }
    return await this.#write(`/api/v1/namespaces/${namespace}/secrets`, post(created), signal)
  }

  /**
   * Makes `bundle` the CA bundle of every webhook of a configuration. Returns whether it is stored; false if the
   * configuration has changed or is gone since it was read. Throws ApiError.
   *
   * A JSON patch owns caBundle alone. A server-side apply would also own each entry of the list, so that Helm 4 could not
   * remove one any more (docs/decisions/self-managed-certificates.md).
   */
  async publish(
    { configuration, webhooks, object }: StoredConfiguration,
    bundle: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const value = toBase64(bundle)
    const entries = webhooks.map((_, index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }))
    const version = metadataOf(object)['resourceVersion'] ?? null
    const body = [{ op: 'replace', path: '/metadata/resourceVersion', value: version }, ...entries]
    const patch = { method: 'PATCH', contentType: 'application/json-patch+json', body } as const
    return await this.#write(`/apis/${GROUP}/${configuration}`, patch, signal)
  }

  /** Calls `changed` soon after a configuration changes, until `signal` is aborted; never rejects. */
  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    await Promise.all(PLURALS.map((plural) => this.#watchKind(plural, changed, signal)))
  }

  async #watchKind(plural: string, changed: () => void, signal: AbortSignal): Promise<void> {
    const { api, configurationName } = this.#options
    const field = encodeURIComponent(`metadata.name=${configurationName}`)
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=300&fieldSelector=${field}`
    const backoff = createBackoff(RETRY)
    while (!signal.aborted) {
      try {
        for await (const { type } of await api.watch(`/apis/${GROUP}/${plural}?${query}`, SILENCE, signal)) {
          backoff.reset()
          if (type !== 'BOOKMARK') changed()
        }
      } catch {
        // The periodic reads report what is wrong.
      }
      await sleep(backoff.next(), undefined, { signal }).catch(() => undefined)
    }
  }

  #secretPath(): string {
    const { namespace, secretName } = this.#options
    return `/api/v1/namespaces/${namespace}/secrets/${secretName}`
  }

  async #write(path: string, write: ObjectWrite, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.api.write(`${path}?fieldManager=${FIELD_MANAGER}`, write, signal)
      return true
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || isNotFound(error))) return false
      throw error
    }
  }
}

function pathOf(plural: string, name: string): string {
  return `/apis/${GROUP}/${plural}/${name}`
}

async function unlessNotFound(reading: Promise<JsonObject>): Promise<JsonObject | undefined> {
  return await reading.catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
}

function describeConfiguration(configuration: string, object: JsonObject): StoredConfiguration {
  const annotations = member(metadataOf(object), 'annotations')
  return {
    configuration,
    isInjected: INJECTED.some((key) => member(annotations, key) !== undefined),
    webhooks: arrayMember(object, 'webhooks').map((webhook) => ({
      name: stringMember(webhook, 'name') ?? '',
      caBundle: fromBase64(stringMember(member(webhook, 'clientConfig'), 'caBundle') ?? ''),
    })),
    object,
  }
}

function decode(data: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries([...stringMap(data)].map(([key, text]) => [key, fromBase64(text)]))
}

function put(object: JsonObject): ObjectWrite {
  return { method: 'PUT', contentType: 'application/json', body: object }
}

function post(object: JsonObject): ObjectWrite {
  return { method: 'POST', contentType: 'application/json', body: object }
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
