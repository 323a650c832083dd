/** Objects that route requests and that a conversion does not read: counted by kind, so that nobody takes them for converted. */
import { groupBy } from '../kubernetes/group-by.ts'
import { stringMember, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import type { Note } from './model/report.ts'

/** By API group and kind: the controller, in its own words. */
const KINDS: readonly (readonly [group: RegExp, kinds: readonly string[], controller: string])[] = [
  [/^projectcontour\.io$/, ['HTTPProxy'], 'Contour'],
  [/^traefik\.(?:io|containo\.us)$/, ['IngressRoute', 'IngressRouteTCP', 'IngressRouteUDP'], 'Traefik'],
  [/^route\.openshift\.io$/, ['Route'], 'OpenShift'],
  [/^getambassador\.io$/, ['Mapping', 'TCPMapping', 'Host'], 'Emissary'],
  [/^(?:serving|networking\.internal)\.knative\.dev$/, ['Service', 'Route', 'DomainMapping', 'Ingress'], 'Knative'],
  [/^k8s\.nginx\.org$/, ['VirtualServer', 'VirtualServerRoute', 'TransportServer'], 'F5 NGINX Ingress Controller'],
  [/^apisix\.apache\.org$/, ['ApisixRoute', 'ApisixTls'], 'APISIX'],
  [/^configuration\.konghq\.com$/, ['TCPIngress', 'UDPIngress', 'KongIngress'], 'Kong'],
  [/^gateway\.solo\.io$/, ['VirtualService', 'RouteTable'], 'Gloo'],
]

const MOST_NAMES = 10

/** One note for each kind, an error: its requests are no longer served once the old controller is gone. */
export function otherRoutes(objects: readonly JsonObject[]): readonly Note[] {
  const found = objects.flatMap((object) => {
    const controller = controllerOf(object)
    return controller === undefined ? [] : [{ object, controller, kind: stringMember(object, 'kind') ?? '' }]
  })
  return [...groupBy(found, ({ controller, kind }) => `${controller} ${kind}`).values()].map((group) => {
    const [{ controller, kind } = { controller: '', kind: '' }] = group
    const names = group.map(({ object }) => nameOf(object))
    const rest = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''
    const message = `${group.length} ${kind} of ${controller}, which convert does not read: ${names.slice(0, MOST_NAMES).join(', ')}${rest}. Write their routes by hand`
    return { level: 'error', about: kind, outcome: 'unsupported', message }
  })
}

function controllerOf(object: JsonObject): string | undefined {
  const [group = ''] = (stringMember(object, 'apiVersion') ?? '').split('/')
  const kind = stringMember(object, 'kind') ?? ''
  return KINDS.find(([pattern, kinds]) => pattern.test(group) && kinds.includes(kind))?.[2]
}

function nameOf(object: JsonObject): string {
  const { namespace, name } = referenceTo(object)
  return `${namespace}/${name}`
}
