/**
 * Mesh clients whose settings let calls to the mesh pass by their sidecar, whether or not such a call is declared: a
 * STRICT workload refuses it.
 */
import {
  EXCLUDE_OUTBOUND_IP_RANGES,
  EXCLUDE_OUTBOUND_PORTS,
  INCLUDE_OUTBOUND_IP_RANGES,
} from '../../istio/annotations.ts'
import { describe } from '../../kubernetes/object.ts'
import { parseRanges } from '../../kubernetes/address-ranges.ts'
import type { Estate } from '../estate.ts'
import { finding, type Finding } from '../finding.ts'
import { bypassByIdentity, outboundSettings, type OutboundSettings } from '../outbound.ts'
import type { Unit, Workload } from '../workload.ts'

export function possibleBypasses(workload: Workload, unit: Unit, estate: Estate): readonly Finding[] {
  if (unit.mesh.kind !== 'sidecar' || unit.mesh.sidecar.capture.kind === 'nothing') return []
  const settings = outboundSettings(unit)
  return [
    ...byAddress(workload, leftOutBy(settings, estate)),
    ...byPort(workload, settings, estate),
    ...byIdentity(workload, unit),
  ]
}

function byPort({ reference, namespace }: Workload, { excludedPorts }: OutboundSettings, estate: Estate) {
  if (excludedPorts.length === 0) return []
  const ports = meshPorts(estate)
  return excludedPorts
    .filter((port) => ports.has(port))
    .map((port) =>
      finding('outbound-bypass-possible', {
        object: reference,
        port,
        message: `The sidecar of ${describe(reference)} does not see what it sends to port ${port} (excludeOutboundPorts), which Services of the mesh have, such as ${ports.get(port) ?? ''}: it is plain text.`,
        fix: `Remove ${port} from ${EXCLUDE_OUTBOUND_PORTS}, unless it never calls a Service of the mesh there.`,
        scope: namespace,
      }),
    )
}

/** An init container that ends before the proxy runs has a finding of its own (injection.ts). */
function byIdentity({ reference, namespace }: Workload, unit: Unit) {
  return unit.pod.containers
    .filter(({ name }) => !name.startsWith('istio-'))
    .flatMap((container) => {
      const bypass = bypassByIdentity(unit, container)
      if (bypass === undefined) return []
      return [
        finding('outbound-bypass-possible', {
          object: reference,
          container: container.name,
          message: `The sidecar of ${describe(reference)} does not see what container ${container.name} sends (${bypass.why}): it is plain text.`,
          fix: bypass.fix,
          scope: namespace,
        }),
      ]
    })
}

function byAddress({ reference, namespace }: Workload, leftOut: LeftOut | 'unknown' | undefined): readonly Finding[] {
  if (leftOut === undefined || leftOut === 'unknown') return []
  return [
    finding('outbound-bypass-possible', {
      object: reference,
      message: `The sidecar of ${describe(reference)} does not see what it sends to ${leftOut.addresses} (${leftOut.setting}): it is plain text.`,
      fix: leftOut.fix,
      scope: namespace,
    }),
  ]
}

/**
 * Returns the workloads for which it is unknown whether their sidecar handles calls to Services, because no Service has
 * an address.
 */
export function unknownBypasses(estate: Estate): readonly Workload[] {
  return estate.workloads.filter(({ units }) =>
    units.some((unit) => unit.mesh.kind === 'sidecar' && leftOutBy(outboundSettings(unit), estate) === 'unknown'),
  )
}

interface LeftOut {
  readonly addresses: string
  readonly setting: string
  readonly fix: string
}

const LEFT_OUT = new WeakMap<Estate, Map<string, LeftOut | 'unknown' | undefined>>()

/** Thousands of workloads may have the same ranges, which are compared with all addresses once. */
function leftOutBy(settings: OutboundSettings, estate: Estate): LeftOut | 'unknown' | undefined {
  const { include, exclude } = settings
  if (include === '*' && exclude.trim() === '') return undefined
  const known = LEFT_OUT.get(estate) ?? new Map<string, LeftOut | 'unknown' | undefined>()
  LEFT_OUT.set(estate, known)
  const key = `${include} ${exclude}`
  if (!known.has(key)) known.set(key, compareRanges(settings, estate))
  return known.get(key)
}

function compareRanges({ include, exclude }: OutboundSettings, estate: Estate): LeftOut | 'unknown' | undefined {
  const [included, excluded] = [parseRanges(include), parseRanges(exclude)]
  const fix = `Remove ${INCLUDE_OUTBOUND_IP_RANGES} and ${EXCLUDE_OUTBOUND_IP_RANGES}, or redirect the Service and pod ranges of the cluster.`
  const setting =
    include === '*' ? `excludeOutboundIPRanges ${exclude}` : `includeOutboundIPRanges ${JSON.stringify(include)}`
  if (include !== '*' && included.isPublic) return { addresses: 'Services', setting, fix }
  const known = meshAddresses(estate)
  if (known.length === 0) return excluded.isEmpty || !excluded.isPublic || include !== '*' ? 'unknown' : undefined
  const missed = known.filter((address) => excluded.has(address) || !included.has(address))
  if (missed.length === 0) return undefined
  const [first = ''] = missed
  return {
    addresses: missed.length === 1 ? first : `${missed.length} addresses of Services, such as ${first}`,
    setting,
    fix,
  }
}

const ADDRESSES = new WeakMap<Estate, readonly string[]>()

/** Returns the ClusterIPs of Services with sidecars, and the pod addresses of those without a ClusterIP. */
function meshAddresses(estate: Estate): readonly string[] {
  const known = ADDRESSES.get(estate)
  if (known !== undefined) return known
  const found = estate.services.flatMap((service) => {
    const inside = estate.selectedBy(service).filter(({ units }) => units.some(({ mesh }) => mesh.kind === 'sidecar'))
    if (inside.length === 0) return []
    return service.isHeadless ? inside.flatMap(({ addresses }) => addresses) : service.clusterIPs
  })
  const addresses = [...new Set(found)]
  ADDRESSES.set(estate, addresses)
  return addresses
}

const MESH_PORTS = new WeakMap<Estate, ReadonlyMap<number, string>>()

/** Returns the ports that callers of Services with sidecars dial, each with one such Service. */
function meshPorts(estate: Estate): ReadonlyMap<number, string> {
  const known = MESH_PORTS.get(estate)
  if (known !== undefined) return known
  const ports = new Map<number, string>()
  for (const service of estate.services) {
    const isInside = estate.selectedBy(service).some(({ units }) => units.some(({ mesh }) => mesh.kind === 'sidecar'))
    if (!isInside) continue
    for (const { port, target } of service.ports) {
      const dialled = service.isHeadless && typeof target === 'number' ? target : port
      ports.set(dialled, `${service.namespace}/${service.name}`)
    }
  }
  MESH_PORTS.set(estate, ports)
  return ports
}
