/** Plain-text traffic that metrics count, without the names of its callers. */
import { counted } from '../../kubernetes/counted.ts'
import { describe } from '../../kubernetes/object.ts'
import { containerPorts } from '../container-port.ts'
import { finding, type Finding } from '../finding.ts'
import type { CountedTraffic, TrafficCount } from '../seen-traffic.ts'
import { namespacesInScope, reception, type Situation } from '../situation.ts'

export function* findCountedTraffic(situation: Situation): Iterable<readonly Finding[]> {
  const { counted: traffic } = situation.estate
  if (traffic === undefined) return
  for (const namespace of namespacesInScope(situation))
    yield traffic.countsIn(namespace).flatMap((count) => judgeCount(count, traffic, situation))
}

/** Returns what the metrics leave open about the namespace, one sentence each. */
export function unknownCounts(namespace: string, traffic: CountedTraffic | undefined): readonly string[] {
  if (traffic === undefined) return []
  if (!traffic.hasData(namespace))
    return [`Prometheus has no data of its sidecars in the last ${spanText(traffic.seconds)}`]
  return traffic
    .countsIn(namespace)
    .filter(({ isOfKubelet }) => isOfKubelet)
    .map(
      ({ target, requests }) =>
        `whether anything but kubelet's probes made the ${counted(requests, 'plain-text request')} to ${describe(target.reference)} is not known: metrics do not tell them apart`,
    )
}

/**
 * | traffic of a workload                    | finding                             |
 * |------------------------------------------|-------------------------------------|
 * | no more than kubelet's probes make       | none here: `unknownCounts`          |
 * | a port of it is STRICT                   | plaintext-traffic                   |
 * | none is                                  | plaintext-traffic-open              |
 */
function judgeCount(count: TrafficCount, { seconds }: CountedTraffic, situation: Situation): readonly Finding[] {
  const { target, requests, bytes, isOfKubelet } = count
  if (isOfKubelet) return []
  const isClosed = target.units.some((unit) => {
    const declared = containerPorts(unit.pod).map(({ number }) => number)
    return (declared.length === 0 ? [ANY_PORT] : declared).some(
      (port) => reception(unit, port, situation).kind === 'closed',
    )
  })
  const amounts = [
    ...(requests === 0 ? [] : [counted(requests, 'request')]),
    ...(bytes === 0 ? [] : [`${counted(bytes, 'byte')} of TCP`]),
  ]
  const effect = isClosed ? 'which STRICT refuses' : 'which works today and fails under STRICT'
  return [
    finding(isClosed ? 'plaintext-traffic' : 'plaintext-traffic-open', {
      object: target.reference,
      message: `Prometheus counted ${amounts.join(' and ')} in plain text to ${describe(target.reference)} in ${spanText(seconds)}, ${effect}. Metrics cannot name callers without a sidecar.`,
      fix: 'Run check with --access-log, which names the callers.',
      scope: target.namespace,
    }),
  ]
}

/** A port that no annotation mentions, for a pod that declares none. */
const ANY_PORT = 8080

/** `24h`, `90m` */
function spanText(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
