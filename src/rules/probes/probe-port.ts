/** The annotation `istio-onramp.io/probe-port`: `8081`, or per container `web=8081,worker=9090`. */
import { isPortNumber } from '../../kubernetes/handler.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { badValue, type Annotated } from '../setting.ts'

const PROBE_PORT = 'istio-onramp.io/probe-port'
const ALLOWED = 'a port from 1 to 65535, or a list such as web=8081,worker=9090'

export interface ProbePorts {
  /** Returns the port for a container; undefined if the annotation has none. */
  forContainer(name: string): number | undefined
  readonly warnings: readonly string[]
}

/** Ignores the whole list if an entry is invalid, but only the entry if its container does not exist. */
export function readProbePorts({ owner, annotations }: Annotated, { containers }: PodTemplate): ProbePorts {
  const text = annotations.get(PROBE_PORT)
  if (text === undefined) return { forContainer: () => undefined, warnings: [] }
  const single = parsePort(text)
  if (single !== undefined) return { forContainer: () => single, warnings: [] }
  const byContainer = parseList(text)
  if (byContainer === undefined)
    return { forContainer: () => undefined, warnings: [badValue(owner, PROBE_PORT, text, ALLOWED)] }
  const names = new Set(containers.map(({ name }) => name))
  const strangers = [...byContainer.keys()].filter((name) => !names.has(name))
  const warnings =
    strangers.length === 0
      ? []
      : [badValue(owner, PROBE_PORT, text, `ports of containers that the pod has: ${[...names].join(', ')}`, strangers)]
  return { forContainer: (name) => byContainer.get(name), warnings }
}

function parsePort(text: string): number | undefined {
  const port = /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : undefined
  return isPortNumber(port) ? port : undefined
}

function parseList(text: string): ReadonlyMap<string, number> | undefined {
  const ports = new Map<string, number>()
  for (const pair of text.split(',')) {
    const [name = '', value = '', ...rest] = pair.split('=')
    const port = parsePort(value)
    if (name.trim() === '' || port === undefined || rest.length > 0) return undefined
    ports.set(name.trim(), port)
  }
  return ports
}
