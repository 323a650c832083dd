/** What the API server adds to a manifest before it calls a webhook: the defaults and the review. */
import { randomUUID } from 'node:crypto'
import { isObject, member, type Json, type JsonObject } from '../kubernetes/json.ts'
import { metadataOf, type ObjectReference } from '../kubernetes/object.ts'

const PROBE_DEFAULTS = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
const PROBES = new Set(['livenessProbe', 'readinessProbe', 'startupProbe'])

/**
 * Applies the defaults that matter to probes (docs/facts/admission-requests.md#what-a-request-contains), and the
 * namespace.
 */
export function withDefaults(object: JsonObject, { namespace }: ObjectReference): JsonObject {
  const defaulted = defaultMembers(object) as JsonObject
  return { ...defaulted, metadata: { ...metadataOf(defaulted), namespace } }
}

function defaultMembers(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(defaultMembers)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, defaultMember(key, defaultMembers(child ?? null))]),
  )
}

function defaultMember(key: string, value: Json): Json {
  if (!isObject(value)) return value
  if (PROBES.has(key)) return { ...PROBE_DEFAULTS, ...value }
  if (key === 'httpGet') return { path: '/', scheme: 'HTTP', ...value }
  if (key === 'grpc' && member(value, 'port') !== undefined) return { service: '', ...value }
  return value
}

export function createReview(object: JsonObject, reference: ObjectReference): JsonObject {
  const { apiVersion, kind, namespace, name } = reference
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const isGenerated = member(metadataOf(object), 'name') === undefined
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind: { group: group ?? '', version: version ?? '', kind },
      resource: { group: group ?? '', version: version ?? '', resource: `${kind.toLowerCase()}s` },
      operation: 'CREATE',
      namespace,
      ...(isGenerated ? {} : { name }),
      userInfo: { username: 'developer@example.com', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions', fieldManager: 'kubectl-client-side-apply' },
    },
  }
}
