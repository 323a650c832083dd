/** The annotation `istio-onramp.io/probe-port`: `8081`, or per container `web=8081,worker=9090`. */
import { isPortNumber } from '../../kubernetes/handler.ts'
import { badValue, type Annotated } from '../setting.ts'

const PROBE_PORT = 'istio-onramp.io/probe-port'
const ALLOWED = 'a port from 1 to 65535, or a list such as web=8081,worker=9090'

export interface ProbePorts {
  /** The port for a container; undefined where the annotation names none. */
  forContainer(name: string): number | undefined
  readonly warnings: readonly string[]
}

export function readProbePorts({ owner, annotations }: Annotated): ProbePorts {
  const text = annotations.get(PROBE_PORT)
  if (text === undefined) return { forContainer: () => undefined, warnings: [] }
  const single = parsePort(text)
  if (single !== undefined) return { forContainer: () => single, warnings: [] }
  const byContainer = parseList(text)
  if (byContainer === undefined)
    return { forContainer: () => undefined, warnings: [badValue(owner, PROBE_PORT, text, ALLOWED)] }
  return { forContainer: (name) => byContainer.get(name), warnings: [] }
}

function parsePort(text: string): number | undefined {
  const port = /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : undefined
  return isPortNumber(port) ? port : undefined
}

function parseList(text: string): ReadonlyMap<string, number> | undefined {
  const ports = new Map<string, number>()
  for (const pair of text.split(',')) {
    const [name = '', value = ''] = pair.split('=')
    const port = parsePort(value)
    if (name.trim() === '' || port === undefined) return undefined
    ports.set(name.trim(), port)
  }
  return ports
}
