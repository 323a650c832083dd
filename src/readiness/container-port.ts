/** Ports that the containers of a pod declare, and the one that a Service port targets. */
import type { ServicePort } from './service.ts'
import type { Unit } from './workload.ts'

/** Returns the pod's port that a Service port targets; undefined if the pod has no port of that name. */
export function targetPort({ target }: ServicePort, { pod }: Unit): number | undefined {
  if (typeof target === 'number') return target
  return containerPorts(pod).find(({ name }) => name === target)?.number
}

export interface ContainerPort {
  readonly container: string
  readonly name: string
  readonly number: number
  readonly hostPort: number | undefined
}

export function containerPorts(pod: Unit['pod']): readonly ContainerPort[] {
  return pod.containers.flatMap(({ name: container, raw }) => {
    const ports = Array.isArray(raw['ports']) ? (raw['ports'] as readonly unknown[]) : []
    return ports.flatMap((entry): readonly ContainerPort[] => {
      if (typeof entry !== 'object' || entry === null) return []
      const { name, containerPort, hostPort } = entry as { name?: unknown; containerPort?: unknown; hostPort?: unknown }
      if (typeof containerPort !== 'number') return []
      return [
        {
          container,
          name: typeof name === 'string' ? name : '',
          number: containerPort,
          hostPort: typeof hostPort === 'number' && hostPort > 0 ? hostPort : undefined,
        },
      ]
    })
  })
}
