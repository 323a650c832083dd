import type { ReadIngress } from '../read-ingresses.ts'
import type { Entrance, Site } from './virtual-host.ts'

/** The Ingress that a site stands first in, to which remarks about its host go. */
export function siteOwner({ ingressName }: Site, { ingresses }: Entrance): ReadIngress | undefined {
  return ingresses.find(({ ingress }) => ingress.name === ingressName)
}
