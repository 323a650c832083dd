/** The facts about a pod's outbound ranges. */
import { isAmbient } from '../../istio/ambient.ts'
import { INCLUDE_OUTBOUND_IP_RANGES } from '../../istio/annotations.ts'
import { refusedAnnotation } from '../../istio/annotation-validation.ts'
import { decideSidecar } from '../../istio/sidecar.ts'
import { workloadNameOf } from '../../istio/workload-name.ts'
import { parseRanges } from '../../kubernetes/address-ranges.ts'
import { readAddress } from '../../kubernetes/ip-address.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import type { Reason } from '../reasons.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'

export const EGRESS_IP_RANGES = 'istio-onramp.io/egress-ip-ranges'

export interface EgressFacts {
  /** The namespace's annotation, as it is written; empty captures nothing. */
  readonly ranges: string
  /** Whether Istio's injector accepts the value. */
  readonly isValid: boolean
  /** Why the pod needs nothing: it has ranges of its own, or no sidecar to come. */
  readonly exempt: { readonly reason: Reason; readonly evidence: string } | undefined
  /** An address of a Service that the ranges leave out; undefined if there is none, or no address is known. */
  readonly serviceLeftOut: string | undefined
}

/** Returns undefined for a namespace without the annotation. */
export function readEgressFacts(
  request: WriteRequest,
  template: PodTemplate,
  context: RuleContext,
): EgressFacts | undefined {
  const { mesh } = context
  const ranges = mesh.namespace(request.reference.namespace).annotations.get(EGRESS_IP_RANGES)
  if (ranges === undefined) return undefined
  return {
    ranges,
    isValid: refusedAnnotation(new Map([[INCLUDE_OUTBOUND_IP_RANGES, ranges]])) === undefined,
    exempt: exemptionOf(request, template, context),
    serviceLeftOut: leftOut(ranges, mesh.serviceAddresses),
  }
}

function exemptionOf(
  { reference: { namespace }, object }: WriteRequest,
  template: PodTemplate,
  { mesh, configuration }: RuleContext,
): EgressFacts['exempt'] {
  const { labels, annotations, spec } = template
  if (configuration.exemptNamespaces.includes(namespace))
    return { reason: 'exempt-namespace', evidence: 'exemptNamespaces' }
  const own = annotations.get(INCLUDE_OUTBOUND_IP_RANGES)
  if (own !== undefined) return { reason: 'egress-own-ranges', evidence: JSON.stringify(own) }
  const sidecar = decideSidecar({ namespace, template, workloadName: workloadNameOf(object) }, mesh)
  const pod = { namespace, labels, annotations, hostNetwork: spec['hostNetwork'] === true }
  if (isAmbient(pod, mesh.namespace(namespace).labels, sidecar.state === 'present'))
    return { reason: 'ambient', evidence: '' }
  if (sidecar.state === 'absent') return { reason: 'no-sidecar', evidence: sidecar.evidence }
  if (sidecar.state === 'refused') return { reason: 'istio-refuses-pod', evidence: sidecar.evidence }
  return sidecar.isCarried ? { reason: 'egress-too-late', evidence: sidecar.evidence } : undefined
}

/** IPv6 is redirected in dual-stack installations only, so IPv4 decides where Services have both. */
function leftOut(ranges: string, services: readonly string[]): string | undefined {
  const included = parseRanges(ranges)
  const v4 = services.filter((address) => readAddress(address)?.family === 4)
  return (v4.length > 0 ? v4 : services).find((address) => !included.has(address))
}
