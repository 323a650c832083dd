/**
 * How a pod's inbound traffic is redirected after a call of the injector: by an init container `istio-init`, or by the
 * node's CNI plugin, which reads the finished pod (docs/facts/injection.md#cni,
 * docs/facts/traffic-capture.md#which-ports-are-redirected).
 */
import {
  EXCLUDE_INBOUND_PORTS,
  EXCLUDE_INTERFACES,
  INCLUDE_INBOUND_PORTS,
  INJECT,
  INTERCEPTION_MODE,
  KUBEVIRT_INTERFACES,
  NATIVE_SIDECAR,
  REROUTE_VIRTUAL_INTERFACES,
  STATUS_PORT,
} from './annotations.ts'
import { arrayMember, member, stringMember, type JsonObject } from '../kubernetes/json.ts'
import type { PodTemplate } from '../kubernetes/pod-template.ts'
import { capture, type Capture } from './capture.ts'
import type { Injector, InterceptionMode, MergedTemplates } from './control-plane.ts'
import { parseBool, parsePort } from './go-values.ts'
import type { PodIdentity } from './injection-policy.ts'
import { ownProxy } from './own-proxy.ts'

export interface Redirection {
  readonly capture: Capture
  /** The call that the pod's `istio-init` came from, if it has one. */
  readonly init: 'none' | 'last-call' | 'earlier'
  readonly proxy: Proxy
}

/** The container `istio-proxy`, as far as the CNI plugin reads it. */
export interface Proxy {
  readonly type: 'none' | 'sidecar' | 'router'
  readonly isInit: boolean
  readonly disablesEnvoy: boolean
}

export interface RedirectionInput {
  readonly previous: Redirection | undefined
  readonly template: PodTemplate
  readonly pod: PodIdentity
  readonly injector: Injector
  readonly effect: MergedTemplates
  readonly mode: InterceptionMode
  /** The pod's annotations after the call. */
  readonly annotations: ReadonlyMap<string, string>
}

const NO_PROXY: Proxy = { type: 'none', isInit: false, disablesEnvoy: false }
/** Ports that the CNI plugin always excludes (`cni/pkg/plugin/sidecar_redirect.go`). */
const CNI_EXCLUDED = [15020, 15021, 15090]

export function redirectionAfter(input: RedirectionInput): Redirection {
  const { previous, injector } = input
  const proxy = proxyAfter(input)
  if (!injector.cni) return { ...initAfter(input), proxy }
  if (previous !== undefined && previous.init !== 'none') return { ...previous, proxy }
  return { capture: cniCapture(input.pod, proxy, input.annotations), init: 'none', proxy }
}

/**
 * An injector replaces the `istio-init` of the previous call. It treats an older one as the user's and keeps it. If its
 * templates add none, the existing one stays (`webhook.go` reapplyOverwrittenContainers).
 */
function initAfter(input: RedirectionInput): Omit<Redirection, 'proxy'> {
  const { previous, effect, mode } = input
  const brings = effect.redirects && mode !== 'NONE'
  if (brings && previous?.init !== 'earlier') return { capture: initCapture(input), init: 'last-call' }
  if (previous !== undefined && previous.init !== 'none') return { capture: previous.capture, init: 'earlier' }
  const why = effect.redirects ? 'interceptionMode NONE' : 'the injection template sets up no redirection'
  return { capture: { kind: 'nothing', because: effect.redirects ? 'mode' : 'templates', why }, init: 'none' }
}

function initCapture({ annotations, injector, mode }: RedirectionInput): Capture {
  const status = parsePort(annotations.get(STATUS_PORT) ?? injector.statusPort)
  return capture({
    mode,
    includeInboundPorts: annotations.get(INCLUDE_INBOUND_PORTS) ?? injector.includeInboundPorts,
    excludeInboundPorts: annotations.get(EXCLUDE_INBOUND_PORTS) ?? injector.excludeInboundPorts,
    alwaysExcluded: status === undefined ? [] : [status],
    ...interfacesOf(annotations),
  })
}

/** The plugin reads only annotations; the templates have recorded the installation's values there. */
export function cniCapture(pod: PodIdentity, proxy: Proxy, annotations: ReadonlyMap<string, string>): Capture {
  if (isSkipped(pod, proxy)) return { kind: 'nothing', because: 'cni', why: 'the CNI plugin skips the pod' }
  const mode = annotations.get(INTERCEPTION_MODE)
  return capture({
    mode: mode === 'TPROXY' || mode === 'NONE' ? mode : 'REDIRECT',
    includeInboundPorts: annotations.get(INCLUDE_INBOUND_PORTS) ?? '*',
    excludeInboundPorts: annotations.get(EXCLUDE_INBOUND_PORTS) ?? '',
    alwaysExcluded: CNI_EXCLUDED,
    ...interfacesOf(annotations),
  })
}

function interfacesOf(annotations: ReadonlyMap<string, string>) {
  return {
    excludeInterfaces: annotations.get(EXCLUDE_INTERFACES) ?? '',
    virtualInterfaces: annotations.get(REROUTE_VIRTUAL_INTERFACES) ?? annotations.get(KUBEVIRT_INTERFACES) ?? '',
  }
}

/**
 * The plugin reads the label with ParseBool, so a pod with `False` is injected but not redirected
 * (docs/facts/injection.md#which-webhooks-are-called).
 */
function isSkipped({ namespace, labels, annotations }: PodIdentity, { type, disablesEnvoy }: Proxy): boolean {
  const value = labels.get(INJECT) ?? annotations.get(INJECT) ?? ''
  return namespace === 'kube-system' || parseBool(value) === false || type !== 'sidecar' || disablesEnvoy
}

/**
 * | the templates add        | the pod has                              | result                          |
 * |--------------------------|------------------------------------------|---------------------------------|
 * | no proxy                 | any                                      | unchanged                       |
 * | a proxy                  | the user's proxy with arguments          | the user's                      |
 * | a native sidecar         | an injected proxy among the containers   | its arguments, now as init      |
 * | a proxy                  | any other                                | the template's                  |
 *
 * The environment is merged by name, so `DISABLE_ENVOY` stays once it is set.
 */
function proxyAfter({ previous, template, injector, effect }: RedirectionInput): Proxy {
  const before = previous?.proxy ?? NO_PROXY
  const written = ownProxy(template)
  const own = readProxy(written, false)
  const disablesEnvoy = before.disablesEnvoy || effect.disablesEnvoy || own.disablesEnvoy
  if (effect.proxyType === 'none') return { ...(before.type === 'none' ? own : before), disablesEnvoy }
  const isInit = effect.redirects && injector.nativeSidecars && isNativeWished(template)
  if (arrayMember(written, 'args').length > 0) return { type: own.type, isInit, disablesEnvoy }
  // If two init containers are proxies, the later one stays: the one that was moved (`reorderPod`).
  if (isInit && before.isInit && effect.movedProxyType !== 'none')
    return { type: effect.movedProxyType, isInit, disablesEnvoy }
  const isMoved = isInit && !before.isInit && before.type !== 'none'
  return { type: isMoved ? before.type : effect.proxyType, isInit, disablesEnvoy }
}

/** The template compares only with "false"; any other value counts as yes (`files/injection-template.yaml`). */
function isNativeWished({ annotations }: PodTemplate): boolean {
  return annotations.get(NATIVE_SIDECAR) !== 'false'
}

/**
 * Reads a container `istio-proxy` as the CNI plugin does: the argument after `proxy`, and `DISABLE_ENVOY` (plugin.go).
 */
export function readProxy(container: JsonObject | undefined, isInit: boolean): Proxy {
  if (container === undefined) return NO_PROXY
  const [command, type] = arrayMember(container, 'args')
  const disabled = arrayMember(container, 'env').find((entry) => member(entry, 'name') === 'DISABLE_ENVOY')
  return {
    type: command !== 'proxy' || type === 'sidecar' ? 'sidecar' : 'router',
    isInit,
    disablesEnvoy: parseBool(stringMember(disabled, 'value') ?? '') === true,
  }
}
