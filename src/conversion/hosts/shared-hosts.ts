/** Report lines about hosts that Ingresses of several namespaces have. */
import type { Target } from '../model/conversion-options.ts'
import type { ReportLine } from '../model/report.ts'
import type { HostRule } from './host-rule.ts'

/**
 * `byName` has the rules of each host, the oldest Ingress first; `isInOrder` says whether one VirtualService has all routes of
 * a host.
 */
export function sharedHostLines(
  byName: ReadonlyMap<string, readonly HostRule[]>,
  isInOrder: (host: string) => boolean,
  target: Target,
): readonly ReportLine[] {
  return [...byName].flatMap(([host, rules]) => {
    const namespaces = new Set(rules.map(({ reading }) => reading.ingress.namespace))
    if (namespaces.size < 2) return []
    return rules.map((rule) => (isInOrder(host) ? orderedLine(rule, rules) : separateLine(rule, target)))
  })
}

function orderedLine({ host, reading, rule }: HostRule, [oldest]: readonly HostRule[]): ReportLine {
  const isOwn = oldest?.reading.ingress.namespace === reading.ingress.namespace
  const message = isOwn
    ? `${host} is also used in another namespace, and the order of the paths matters, so this VirtualService has the routes of both: Istio would merge two by age`
    : `the VirtualService of Ingress ${oldest?.reading.id ?? ''} has these routes, because their order among its paths matters: Istio would merge two VirtualServices of ${host} by age`
  return { ingress: reading.id, level: 'warn', about: `${rule.field}.host`, outcome: 'converted', message }
}

/**
 * Istio merges the VirtualServices of one host in the order of their age, which the conversion cannot control
 * (https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services).
 */
function separateLine({ host, reading, rule }: HostRule, target: Target): ReportLine {
  const why =
    target === 'istio' ? 'Istio merges the routes in order of age' : 'of two routes for one path, the older one wins'
  const message = `host ${host} is also used in another namespace. Keep the paths disjoint: ${why}`
  return { ingress: reading.id, level: 'warn', about: `${rule.field}.host`, outcome: 'approximate', message }
}
