/**
 * Metrics about how current the cluster's state is. Labels are kinds from our own list, never values from the cluster.
 */
import { Counter, Gauge, type Registry } from 'prom-client'

/** The gauges of one kind. */
export interface ResourceHealth {
  /** `services`, `configmaps in istio-system` */
  readonly resource: string
  readonly isSynced: boolean
  /** Seconds since the API server last sent anything about it; undefined before the first time. */
  readonly age: number | undefined
  readonly objects: number
}

export interface ClusterMetrics {
  countFailure(resource: string): void
  countUnreadable(resource: string): void
}

/** `health` is called at every scrape. */
export function createClusterMetrics(registry: Registry, health: () => readonly ResourceHealth[]): ClusterMetrics {
  const labelled = { labelNames: ['resource'], registers: [registry] }
  const gauge = (name: string, help: string, value: (health: ResourceHealth) => number | undefined) =>
    new Gauge({
      ...labelled,
      name: `istio_onramp_cluster_${name}`,
      help,
      collect() {
        for (const one of health()) this.set({ resource: one.resource }, value(one) ?? Number.NaN)
      },
    })
  gauge('synced', '1 once the kind has been read.', ({ isSynced }) => (isSynced ? 1 : 0))
  gauge('contact_age_seconds', 'Time since the API server last sent anything about the kind.', ({ age }) => age)
  gauge('objects', 'Objects of the kind that are kept.', ({ objects }) => objects)
  const failures = new Counter({
    ...labelled,
    name: 'istio_onramp_cluster_failures_total',
    help: 'Lists and watches that failed and were retried.',
  })
  const unreadable = new Counter({
    ...labelled,
    name: 'istio_onramp_cluster_unreadable_objects_total',
    help: 'Objects that could not be read; their previous data stays in use.',
  })
  return {
    countFailure: (resource) => failures.inc({ resource }),
    countUnreadable: (resource) => unreadable.inc({ resource }),
  }
}
