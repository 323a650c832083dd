/**
 * An `istio-proxy` that the user wrote and the injector keeps: its arguments and environment override the template's
 * (`pkg/kube/inject/webhook.go` reapplyOverwrittenContainers).
 */
import { INJECTION_STATUS, PROXY_OVERRIDES } from './annotations.ts'
import { arrayMember, isObject, parseJson, stringMember, type JsonObject } from '../kubernetes/json.ts'
import type { PodTemplate } from '../kubernetes/pod-template.ts'

const PROXY = 'istio-proxy'

/**
 * Reads the manifest of a pod that was never injected, otherwise the annotation that preserves the user's container.
 */
export function ownProxy({ annotations, containers }: PodTemplate): JsonObject | undefined {
  if (!annotations.has(INJECTION_STATUS)) return containers.find(({ name }) => name === PROXY)?.raw
  const overrides = parseJson(annotations.get(PROXY_OVERRIDES) ?? 'null')
  const entries = [...arrayMember(overrides, 'containers'), ...arrayMember(overrides, 'initContainers')]
  return entries.filter(isObject).find((entry) => stringMember(entry, 'name') === PROXY)
}
