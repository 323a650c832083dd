/** Ports that the containers of a pod declare, and the one that a Service port targets. */
import type { ServicePort } from './service.ts'
import type { Unit } from './workload.ts'

/** Returns the pod's port that a Service port targets; undefined if the pod has no port of that name. */
export function targetPort({ target }: ServicePort, unit: Unit): number | undefined {
  return portNumber(target, unit)
}

/** Returns the number of a port of the pod, given by number or by name; undefined if it has no port of that name. */
export function portNumber(port: number | string, { pod }: Unit): number | undefined {
  return typeof port === 'number' ? port : containerPorts(pod).find(({ name }) => name === port)?.number
}

export interface ContainerPort {
  readonly container: string
  readonly name: string
  readonly number: number
  readonly hostPort: number | undefined
}

const DECLARED = new WeakMap<Unit['pod'], readonly ContainerPort[]>()

export function containerPorts(pod: Unit['pod']): readonly ContainerPort[] {
  const known = DECLARED.get(pod)
  if (known !== undefined) return known
  const ports = readPorts(pod)
  DECLARED.set(pod, ports)
  return ports
}

function readPorts(pod: Unit['pod']): readonly ContainerPort[] {
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
