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

const KINDS = {
  mutatingwebhookconfigurations: 'MutatingWebhookConfiguration',
  validatingwebhookconfigurations: 'ValidatingWebhookConfiguration',
} as const
type Plural = keyof typeof KINDS
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
      plurals().map(async (plural) => {
        const object = await unlessNotFound(api.get(pathOf(plural, configurationName), signal))
        return object === undefined ? [] : [describeConfiguration(`${plural}/${configurationName}`, object)]
      }),
    )
    return read.flat()
  }

  /** Returns undefined if there is none. Throws ApiError. */
  async readSecret(signal: AbortSignal): Promise<StoredSecret | undefined> {
    const object = await unlessNotFound(this.#options.api.get(this.#secretPath(), signal))
    return object && { data: decode(member(object, 'data')), object }
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
    const created = { ...type, type: 'Opaque', metadata: { name, namespace }, data: encoded }
    return await this.#write(`/api/v1/namespaces/${namespace}/secrets`, post(created), signal)
  }

  /**
   * Makes `bundle` the CA bundle of every webhook of a configuration, by a server-side apply of that field alone. Returns
   * whether it is stored; false if the configuration has changed or is gone since it was read. Throws ApiError.
   */
  async publish(over: StoredConfiguration, bundle: string, signal: AbortSignal): Promise<boolean> {
    const [plural = '', name = ''] = over.configuration.split('/')
    const { uid = null, resourceVersion = null } = metadataOf(over.object)
    const caBundle = toBase64(bundle)
    const object = {
      apiVersion: GROUP,
      kind: KINDS[plural as Plural],
      // Without the uid, an apply to a configuration that was just deleted would create an empty one.
      metadata: { name, uid, resourceVersion },
      webhooks: over.webhooks.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
    }
    return await this.#write(`${pathOf(plural as Plural, name)}?force=true`, apply(object), signal)
  }

  /** Calls `changed` soon after a configuration changes, until `signal` is aborted; never rejects. */
  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    await Promise.all(plurals().map((plural) => this.#watchKind(plural, changed, signal)))
  }

  async #watchKind(plural: Plural, changed: () => void, signal: AbortSignal): Promise<void> {
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
    const manager = `${path.includes('?') ? '&' : '?'}fieldManager=${FIELD_MANAGER}`
    try {
      await this.#options.api.write(path + manager, write, signal)
      return true
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || isNotFound(error))) return false
      throw error
    }
  }
}

function plurals(): readonly Plural[] {
  return ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']
}

function pathOf(plural: Plural, name: string): string {
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
  return { method: 'PUT', contentType: 'application/json', object }
}

function post(object: JsonObject): ObjectWrite {
  return { method: 'POST', contentType: 'application/json', object }
}

/** JSON is YAML, and the only form of an apply that every supported version takes. */
function apply(object: JsonObject): ObjectWrite {
  return { method: 'PATCH', contentType: 'application/apply-patch+yaml', object }
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
