/** Services that the API server calls: admission webhooks, CRD conversion, aggregated APIs. */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { isPortNumber } from '../kubernetes/handler.ts'
import { matches, parseSelector, type LabelSelector } from '../kubernetes/label-selector.ts'
import { metadataOf, type ObjectReference } from '../kubernetes/object.ts'
import { isProblem } from '../kubernetes/problem.ts'

export interface Callback {
  /** The configuration, CustomResourceDefinition or APIService; cluster-scoped. */
  readonly object: ObjectReference
  readonly kind: 'admission' | 'conversion' | 'aggregation'
  /** The name of the webhook; empty for the other two kinds. */
  readonly entry: string
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** Whether the API server calls it when a pod is created. */
  readonly isForPods: boolean
}

/**
 * Reads a Validating- or MutatingWebhookConfiguration. A webhook with a URL is skipped: its server is not a known
 * Service.
 */
export function readWebhookCallbacks(object: JsonObject): readonly Callback[] {
  return arrayMember(object, 'webhooks').flatMap((entry): readonly Callback[] => {
    const service = readServiceReference(memberAt(entry, 'clientConfig', 'service'))
    if (service === undefined) return []
    return [
      {
        object: clusterReference(object),
        kind: 'admission',
        entry: stringMember(entry, 'name') ?? '',
        service,
        failurePolicy: member(entry, 'failurePolicy') === 'Ignore' ? 'Ignore' : 'Fail',
        isForPods: arrayMember(entry, 'rules').some(isForPods),
      },
    ]
  })
}

export function readConversionCallbacks(object: JsonObject): readonly Callback[] {
  const conversion = memberAt(object, 'spec', 'conversion')
  if (member(conversion, 'strategy') !== 'Webhook') return []
  const config = memberAt(conversion, 'webhook', 'clientConfig') ?? member(conversion, 'webhookClientConfig')
  return plain(object, 'conversion', readServiceReference(member(config, 'service')))
}

export function readAggregationCallbacks(object: JsonObject): readonly Callback[] {
  return plain(object, 'aggregation', readServiceReference(memberAt(object, 'spec', 'service')))
}

function plain(
  object: JsonObject,
  kind: Callback['kind'],
  service: Callback['service'] | undefined,
): readonly Callback[] {
  if (service === undefined) return []
  return [{ object: clusterReference(object), kind, entry: '', service, failurePolicy: 'Fail', isForPods: false }]
}

function clusterReference(object: JsonObject): ObjectReference {
  return {
    apiVersion: stringMember(object, 'apiVersion') ?? '',
    kind: stringMember(object, 'kind') ?? '',
    namespace: '',
    name: stringMember(metadataOf(object), 'name') ?? '',
  }
}

/** The port defaults to 443 (admissionregistration.k8s.io/v1 ServiceReference). */
function readServiceReference(value: Json | undefined): Callback['service'] | undefined {
  const name = stringMember(value, 'name')
  if (!isObject(value) || name === undefined) return undefined
  const port = member(value, 'port')
  return { namespace: stringMember(value, 'namespace') ?? 'default', name, port: isPortNumber(port) ? port : 443 }
}

function isForPods(rule: Json): boolean {
  const has = (key: string, ...wanted: readonly string[]) =>
    arrayMember(rule, key).some((entry) => entry === '*' || wanted.some((text) => text === entry))
  return has('apiGroups', '') && has('resources', 'pods', '*/*') && has('operations', 'CREATE')
}

/** The istio-onramp webhook for pods: which namespaces and pods it selects. */
export interface OwnWebhook {
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
}

/** Reads the pod entry that the chart installs, whatever the configuration's name is. */
export function readOwnWebhooks(object: JsonObject): readonly OwnWebhook[] {
  return arrayMember(object, 'webhooks').flatMap((entry): readonly OwnWebhook[] => {
    if (!(stringMember(entry, 'name') ?? '').endsWith('.istio-onramp.io')) return []
    if (!arrayMember(entry, 'rules').some(isForPods)) return []
    const namespaceSelector = parseSelector(member(entry, 'namespaceSelector'))
    const objectSelector = parseSelector(member(entry, 'objectSelector'))
    return isProblem(namespaceSelector) || isProblem(objectSelector) ? [] : [{ namespaceSelector, objectSelector }]
  })
}

export function covers(
  webhook: OwnWebhook,
  namespaceLabels: ReadonlyMap<string, string>,
  podLabels: ReadonlyMap<string, string>,
): boolean {
  return matches(webhook.namespaceSelector, namespaceLabels) && matches(webhook.objectSelector, podLabels)
}
