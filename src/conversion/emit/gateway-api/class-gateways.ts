/**
 * The Gateway of an ingress class with the listeners of its namespaces (docs/decisions/gateway-api-layout.md): in a
 * ListenerSet of each namespace, or, before Gateway API 1.5, in the Gateway itself and further ones like it.
 */
import { groupBy } from '../../../kubernetes/group-by.ts'
import { defined } from '../../../kubernetes/json.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import { joinAnnotations } from '../../hosts/shared-annotations.ts'
import { hasListenerSets, type ConversionOptions } from '../../model/conversion-options.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import { credentialName, labelName } from '../../model/object-names.ts'
import type { ReportLine } from '../../model/report.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import { someOf, type EmittedObject, type ObjectMetadata } from '../emitted-object.ts'
import { allowNamespaces, gatewayObject, listenerName, listenerObject, listenerSetObject, PLAIN } from './gateway.ts'
import type { ListenerRefs, ParentRef } from './parent-refs.ts'
import { secretGrant } from './reference-grant.ts'
import {
  MAX_LISTENERS,
  neededListeners,
  plainListeners,
  type PlainListener,
  type SecureListener,
} from './secure-listeners.ts'

export interface ClassGateway {
  /** The names of the Gateways, in `gateway.namespace`: one, and further ones before Gateway API 1.5. */
  readonly names: readonly string[]
  readonly refsOf: (host: VirtualHost) => ListenerRefs
  readonly objects: readonly EmittedObject[]
  readonly lines: readonly ReportLine[]
}

/** `plans` are those of one class. */
export function classGateway(plans: readonly GatewayPlan[], options: ConversionOptions): ClassGateway {
  const placed = hasListenerSets(options) ? inListenerSets(plans, options) : inGateways(plans, options)
  const [first = ''] = placed.names
  const byHost = groupBy(placed.listeners, ({ listener }) => `${listener.protocol} ${listener.host}`)
  const wildcards = placed.listeners.filter(({ listener }) => listener.host.startsWith('*'))
  const placeOf = (host: VirtualHost, protocol: AnyListener['protocol']): PlacedListener | undefined => {
    const isOpen = ({ listener, namespaces }: PlacedListener) =>
      listener.protocol === protocol && namespaces.includes(host.namespace)
    return (
      byHost.get(`${protocol} ${host.host}`)?.find(isOpen) ??
      wildcards
        .filter((one) => isOpen(one) && isCoveredByWildcard(host.host, one.listener.host))
        .toSorted((left, right) => right.listener.host.length - left.listener.host.length)[0]
    )
  }
  const refsOf = (host: VirtualHost): ListenerRefs => {
    const secure = placeOf(host, host.passthrough === undefined ? 'https' : 'tls')
    const plain = placeOf(host, 'http')
    const gateway = { name: secure?.gateway ?? first, namespace: options.gateway.namespace, sectionName: PLAIN }
    return {
      plain: plain === undefined ? localRef(gateway, host) : sectionRef(plain, host),
      secure: secure && sectionRef(secure, host),
    }
  }
  return { names: placed.names, refsOf, objects: placed.objects, lines: placed.lines }
}

type AnyListener = SecureListener | PlainListener

function sectionRef({ ref, listener: { protocol, host } }: PlacedListener, route: VirtualHost): ParentRef {
  return localRef({ ...ref, sectionName: listenerName(protocol, host) }, route)
}

/** A reference within a namespace does not name it. */
function localRef(ref: ParentRef, { namespace }: VirtualHost): ParentRef {
  return ref.namespace === namespace ? defined<ParentRef>({ ...ref, namespace: undefined }) : ref
}

interface PlacedListener {
  readonly listener: AnyListener
  /** The ListenerSet or Gateway that has it. */
  readonly ref: ParentRef
  /** The name of the Gateway that serves it. */
  readonly gateway: string
  /** The namespaces whose routes may attach. */
  readonly namespaces: readonly string[]
}

interface Placement {
  readonly names: readonly string[]
  readonly listeners: readonly PlacedListener[]
  readonly objects: readonly EmittedObject[]
  readonly lines: readonly ReportLine[]
}

/** A listener for a host of several namespaces admits the routes of all of them. */
type NamespacesOf = (listener: AnyListener, plan: GatewayPlan) => readonly string[]

function namespacesByHost(plans: readonly GatewayPlan[]): NamespacesOf {
  const byHost = groupBy(
    plans.flatMap(({ hosts }) => hosts),
    ({ host }) => host,
  )
  return ({ host }, { namespace }) => [...new Set([namespace, ...(byHost.get(host) ?? []).map((one) => one.namespace)])]
}

function inListenerSets(plans: readonly GatewayPlan[], { gateway }: ConversionOptions): Placement {
  const [name = ''] = plans.map(({ className }) => className)
  const home = { name, namespace: gateway.namespace }
  const sets = plans.flatMap((plan) =>
    chunksOf([...plainListeners(plan), ...neededListeners(plan)], MAX_LISTENERS).map((listeners, index) => ({
      plan,
      listeners,
      name: index === 0 ? plan.name : `${plan.name}.part-${index + 1}`,
    })),
  )
  const namespacesOf = namespacesByHost(plans)
  const namespaces = [...new Set(plans.map(({ namespace }) => namespace))]
  const setNamespaces = [...new Set(sets.map(({ plan }) => plan.namespace))]
  const allowedListeners = setNamespaces.length === 0 ? undefined : allowNamespaces(setNamespaces)
  const metadata = { name, namespace: gateway.namespace }
  const objects = [
    gatewayObject(metadata, gateway.className, allowNamespaces(namespaces), { allowedListeners, secure: [] }),
    ...sets.map((set) => setObject(set, home, namespacesOf)),
  ]
  const listeners = sets.flatMap((set) => {
    const ref = { group: GROUP, kind: 'ListenerSet', name: set.name, namespace: set.plan.namespace } as const
    return set.listeners.map((listener) => {
      return { listener, ref, gateway: name, namespaces: namespacesOf(listener, set.plan) }
    })
  })
  return { names: [name], listeners, objects, lines: [] }
}

const GROUP = 'gateway.networking.k8s.io'

interface PlannedSet {
  readonly plan: GatewayPlan
  readonly listeners: readonly AnyListener[]
  readonly name: string
}

function setObject(
  { plan, listeners, name }: PlannedSet,
  home: { readonly name: string; readonly namespace: string },
  namespacesOf: NamespacesOf,
): EmittedObject {
  const metadata = defined<ObjectMetadata>({ name, namespace: plan.namespace, annotations: someOf(plan.annotations) })
  return listenerSetObject(
    metadata,
    home,
    listeners.map((listener) => {
      const own = listenerObject(listener, ({ secret }) => ({ name: secret }))
      const namespaces = namespacesOf(listener, plan)
      return namespaces.length === 1 ? own : { ...own, allowedRoutes: allowNamespaces(namespaces) }
    }),
  )
}

/** Each Gateway also has the plain listener of its hosts. The first one has all hosts without TLS. */
function inGateways(plans: readonly GatewayPlan[], { gateway }: ConversionOptions): Placement {
  const [className = ''] = plans.map((plan) => plan.className)
  const needed = plans.flatMap((plan) => neededListeners(plan).map((listener) => ({ plan, listener })))
  const namespacesOf = namespacesByHost(plans)
  const chunks = chunksOf(needed, MAX_LISTENERS - 1)
  const names = (chunks.length === 0 ? [0] : [...chunks.keys()]).map((index) =>
    index === 0 ? className : labelName(`${className}-${index + 1}`),
  )
  const annotations = joinAnnotations(
    plans.map((plan) => ({ ingress: plan.ingresses[0]?.id ?? '', annotations: plan.annotations })),
    `Gateway ${gateway.namespace}/${className}`,
  )
  const everywhere = [...new Set(plans.map(({ namespace }) => namespace))]
  const objects = names.map((name, index) => {
    const metadata = { name, namespace: gateway.namespace, annotations: someOf(annotations.value) }
    const secure = (chunks[index] ?? []).map(({ plan, listener }) => ({
      ...listenerObject(listener, (server) => certificateOf(server, plan, gateway.namespace)),
      allowedRoutes: allowNamespaces(namespacesOf(listener, plan)),
    }))
    return gatewayObject(defined(metadata), gateway.className, allowNamespaces(everywhere), { secure })
  })
  const listeners = chunks.flatMap((chunk, index) =>
    chunk.map(({ plan, listener }) => {
      const name = names[index] ?? className
      const ref = { name, namespace: gateway.namespace }
      return { listener, ref, gateway: name, namespaces: namespacesOf(listener, plan) }
    }),
  )
  const grants = plans.flatMap((plan) => grantOf(plan, gateway.namespace))
  return { names, listeners, objects: [...objects, ...grants], lines: annotations.lines }
}

/** A Certificate is in the Gateway's namespace; any other secret stays in the Ingress' namespace. */
function certificateOf({ secret }: TlsServer, plan: GatewayPlan, namespace: string) {
  if (isIssued(secret, plan)) return { name: credentialName(plan.namespace, secret) }
  return defined<{ name: string; namespace?: string }>({
    name: secret,
    namespace: plan.namespace === namespace ? undefined : plan.namespace,
  })
}

/** Whether the conversion prints a Certificate that fills the secret. */
export function isIssued(secret: string, { ingresses }: GatewayPlan): boolean {
  return ingresses.some(
    ({ settings, ingress }) =>
      settings.certificate !== undefined && ingress.tls.some((entry) => entry.secret === secret),
  )
}

function grantOf(plan: GatewayPlan, gatewayNamespace: string): readonly EmittedObject[] {
  const secrets = [...new Set(plan.tls.map(({ secret }) => secret))].filter((secret) => !isIssued(secret, plan))
  if (plan.namespace === gatewayNamespace || secrets.length === 0) return []
  return [secretGrant(plan, gatewayNamespace, secrets)]
}

function chunksOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
