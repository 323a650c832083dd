/**
 * Reads Istio's injection webhooks from MutatingWebhookConfigurations
 * (docs/facts/injection.md#which-webhooks-are-called).
 */
import { REVISION } from '../istio/annotations.ts'
import {
  arrayMember,
  member,
  memberAt,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { parseSelector } from '../kubernetes/label-selector.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'
import type { InjectionWebhook } from '../istio/injection-webhook.ts'
import { isManagedMesh } from '../istio/managed-mesh.ts'
import { isProblem, type Problem } from '../kubernetes/problem.ts'

const SUFFIX = 'sidecar-injector.istio.io'
const OWNED_BY = 'istio.io/owned-by'

/** Returns an empty list for a configuration that is not Istio's. */
export function readInjectionWebhooks(object: JsonObject): readonly InjectionWebhook[] | Problem {
  const configuration = stringMember(metadataOf(object), 'name') ?? ''
  const owner = labelsOf(object).get(OWNED_BY)
  const webhooks: InjectionWebhook[] = []
  for (const [index, entry] of arrayMember(object, 'webhooks').entries()) {
    const name = stringMember(entry, 'name') ?? ''
    if (!name.endsWith(SUFFIX)) continue
    const namespaceSelector = parseSelector(member(entry, 'namespaceSelector'))
    if (isProblem(namespaceSelector)) return below(`webhooks[${index}].namespaceSelector`, namespaceSelector)
    const objectSelector = parseSelector(member(entry, 'objectSelector'))
    if (isProblem(objectSelector)) return below(`webhooks[${index}].objectSelector`, objectSelector)
    const revision = revisionOf(object, entry)
    const network = networkIn(pathOf(entry))
    const isReinvoked = stringMember(entry, 'reinvocationPolicy') === 'IfNeeded'
    const isManaged = isManagedMesh({ configuration, owner, revision, url: urlOf(entry) })
    webhooks.push({ configuration, name, revision, isReinvoked, isManaged, network, namespaceSelector, objectSelector })
  }
  return webhooks
}

function below(parent: string, { field, problem }: Problem): Problem {
  return { field: field === '' ? parent : `${parent}.${field}`, problem }
}

/** Returns the path of the Service, or of the URL. */
function pathOf(entry: Json): string {
  const path = scalarText(memberAt(entry, 'clientConfig', 'service', 'path'))
  return urlOf(entry)?.replace(/^https:\/\/[^/]*/, '') ?? path ?? ''
}

function urlOf(entry: Json): string | undefined {
  return scalarText(memberAt(entry, 'clientConfig', 'url'))
}

/**
 * Reads `/inject/cluster/C/net/N`, or the older `/inject/:ENV:net=N` (`pkg/kube/inject/webhook.go` parseInjectEnvs).
 */
function networkIn(path: string): string | undefined {
  const rest = path.replace(/\/$/, '').split('/').slice(2)
  if (rest[0]?.startsWith(':ENV:') === true) return /:ENV:net=([^:]*)/.exec(rest.join('/'))?.[1]
  const index = rest.findIndex((name, place) => place % 2 === 0 && name === 'net')
  return index === -1 ? undefined : rest[index + 1]?.replaceAll('--slash--', '/')
}

/** Returns the configuration's label, otherwise the revision in the name of its istiod Service, `istiod[-rev]`. */
function revisionOf(object: JsonObject, entry: Json): string {
  const label = labelsOf(object).get(REVISION)
  if (label !== undefined && label !== '') return label
  const service = memberAt(entry, 'clientConfig', 'service', 'name')
  return typeof service === 'string' && service.startsWith('istiod-') ? service.slice('istiod-'.length) : 'default'
}
