/**
 * Plain-text traffic as Istio's standard metrics count it (https://istio.io/latest/docs/reference/config/metrics/). The
 * destination reports `connection_security_policy="none"`; the source workload of such a connection is unknown, so
 * metrics cannot name a caller that has no sidecar.
 */
import { arrayMember, memberAt, scalarText, stringMember, type Json } from '../kubernetes/json.ts'
import type { Estate } from '../readiness/estate.ts'
import type { CountedTraffic, TrafficCount } from '../readiness/seen-traffic.ts'
import { probesPerSecond } from './kubelet-share.ts'

export interface TrafficQueries {
  /** Whether there is any metric of Istio at all. */
  readonly any: string
  /** Namespaces that destinations report on. */
  readonly namespaces: string
  readonly requests: string
  readonly bytes: string
}

const BY = 'sum by (destination_workload, destination_workload_namespace)'
const PLAIN = '{reporter="destination",connection_security_policy="none"}'
const METRICS = '__name__=~"istio_requests_total|istio_tcp_(sent|received)_bytes_total"'

/** Bytes count connections that were opened before the span, which `istio_tcp_connections_opened_total` misses. */
export function trafficQueries(seconds: number): TrafficQueries {
  const span = `[${seconds}s]`
  // A series that begins within the span begins at its first count, not at 0.
  const grown = (metric: string) =>
    `((last_over_time(${metric}${PLAIN}${span}) unless ${metric}${PLAIN} offset ${seconds}s) or increase(${metric}${PLAIN}${span}))`
  return {
    any: `count(last_over_time({${METRICS}}${span}))`,
    namespaces: `count by (destination_workload_namespace) (last_over_time({${METRICS},reporter="destination"}${span}))`,
    requests: `${BY} (${grown('istio_requests_total')})`,
    bytes: `${BY} (${grown('istio_tcp_received_bytes_total')}) + ${BY} (${grown('istio_tcp_sent_bytes_total')})`,
  }
}

/** The data of the answers to the queries: `{"resultType":"vector","result":[...]}`. */
export type TrafficAnswers = Readonly<Record<keyof TrafficQueries, Json>>

export function joinCounts(answers: TrafficAnswers, seconds: number, estate: Estate): CountedTraffic {
  const counts = new Map<string, { requests: number; bytes: number }>()
  for (const key of ['requests', 'bytes'] as const)
    for (const { metric, value } of samplesOf(answers[key])) {
      const name = `${stringMember(metric, 'destination_workload_namespace') ?? ''}/${stringMember(metric, 'destination_workload') ?? ''}`
      const known = counts.get(name) ?? { requests: 0, bytes: 0 }
      counts.set(name, { ...known, [key]: Math.round(value) })
    }
  const known = new Set(
    samplesOf(answers.namespaces).map(({ metric }) => stringMember(metric, 'destination_workload_namespace') ?? ''),
  )
  return {
    seconds,
    hasData: (namespace) => known.has(namespace),
    countsIn: (namespace) =>
      estate.workloadsOf(namespace).flatMap((target): readonly TrafficCount[] => {
        const found = counts.get(`${namespace}/${target.reference.name}`)
        if (found === undefined || found.requests + found.bytes === 0) return []
        const fromKubelet = Math.ceil(probesPerSecond(target, estate) * seconds * 1.2)
        return [{ target, ...found, isOfKubelet: found.bytes === 0 && found.requests <= fromKubelet }]
      }),
  }
}

function samplesOf(data: Json): readonly { readonly metric: Json | undefined; readonly value: number }[] {
  return arrayMember(data, 'result').flatMap((entry) => {
    const value = Number(scalarText(arrayMember(entry, 'value')[1]))
    return Number.isFinite(value) && value > 0 ? [{ metric: memberAt(entry, 'metric'), value }] : []
  })
}
