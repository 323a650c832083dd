/** The parts shared by routes of every kind. */
import { defined } from '../../../kubernetes/json.ts'
import { hostName } from '../../model/object-names.ts'
import type { RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { someOf, type ObjectMetadata } from '../emitted-object.ts'
import { GATEWAY_API } from './gateway.ts'
import type { ParentRef } from './parent-refs.ts'

export type Route<Kind extends string, Rule> = {
  readonly apiVersion: typeof GATEWAY_API
  readonly kind: Kind
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly parentRefs: readonly ParentRef[]
    readonly hostnames?: readonly string[]
    readonly rules: readonly Rule[]
  }
}

/** https://gateway-api.sigs.k8s.io/reference/spec/#backendobjectreference */
export type BackendRef = {
  readonly group?: string
  readonly kind?: string
  readonly name: string
  readonly namespace?: string
  readonly port: number
  readonly weight?: number
}

/** `suffixes` distinguish the routes of one host. */
export function routeObject<Kind extends string, Rule>(
  kind: Kind,
  { namespace, ingressName, host, dnsAnnotations }: VirtualHost,
  suffixes: readonly string[],
  parentRefs: readonly ParentRef[],
  rules: readonly Rule[],
): Route<Kind, Rule> {
  return {
    apiVersion: GATEWAY_API,
    kind,
    metadata: defined({
      name: hostName(ingressName, host, ...suffixes),
      namespace,
      annotations: someOf(dnsAnnotations),
    }),
    spec: defined<Route<Kind, Rule>['spec']>({
      parentRefs,
      hostnames: host === '*' ? undefined : [host],
      rules,
    }),
  }
}

export function backendRefs(backends: readonly RouteBackend[]): readonly BackendRef[] {
  return backends.map(({ service, port, weight }) =>
    defined<BackendRef>({ name: service, port, weight: backends.length > 1 ? weight : undefined }),
  )
}
