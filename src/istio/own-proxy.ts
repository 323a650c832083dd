/**
 * The `istio-proxy` that the user wrote and the injector keeps: its arguments and environment win over the template's
 * (`pkg/kube/inject/webhook.go` reapplyOverwrittenContainers, `inject.go` RunTemplate).
 */
import { arrayMember, isObject, member, stringMember, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parseBool } from './go-values.ts'
import type { PodTemplate } from '../kubernetes/pod-template.ts'

const PROXY = 'istio-proxy'

/**
 * | the pod                                                         | kept                          |
 * |-----------------------------------------------------------------|-------------------------------|
 * | was never injected                                              | the manifest's, if any        |
 * | was injected over a proxy of the user's                         | that one, from the annotation |
 * | was injected as a container and becomes an init container now   | the injected one, once              |
 * | was injected otherwise                                          | nothing                       |
 */
export function ownProxy(template: PodTemplate, isNative: boolean, isFirstCall: boolean): JsonObject | undefined {
  const { annotations, containers } = template
  const manifest = containers.find(({ name }) => name === PROXY)
  if (!annotations.has('sidecar.istio.io/status')) return manifest?.raw
  const overridden = overriddenProxy(annotations.get('proxy.istio.io/overrides'))
  if (overridden !== undefined) return overridden
  const becomesInit = isFirstCall && isNative && annotations.get('sidecar.istio.io/nativeSidecar') !== 'false'
  return becomesInit && manifest?.init === false ? manifest.raw : undefined
}

function overriddenProxy(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined
  const overrides = parseJson(text)
  const entries = [...arrayMember(overrides, 'containers'), ...arrayMember(overrides, 'initContainers')]
  return entries.filter(isObject).find((entry) => stringMember(entry, 'name') === PROXY)
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}

/** What makes the CNI plugin pass a pod over: no sidecar proxy, or one that runs without Envoy (spec/istio.md 3.6). */
export function runsWithoutEnvoy(proxy: JsonObject | undefined): boolean {
  const [command, type] = arrayMember(proxy, 'args')
  const disabled = arrayMember(proxy, 'env').find((entry) => member(entry, 'name') === 'DISABLE_ENVOY')
  return (command === 'proxy' && type !== 'sidecar') || parseBool(stringMember(disabled, 'value') ?? '') === true
}
