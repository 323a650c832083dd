/** test/oracle/conversion, asked line by line: Istio's own validation, and its own Ingress controller. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'

export interface Oracle {
  /** What Istio's validation says against each of the objects that it refuses. */
  readonly refusals: (objects: readonly JsonObject[]) => Promise<readonly string[]>
  /** Gateways and VirtualServices that Istio's Ingress controller makes. */
  readonly convert: (
    ingresses: readonly JsonObject[],
    services: readonly JsonObject[],
  ) => Promise<readonly JsonObject[]>
  readonly close: () => void
}

export function startOracle(): Oracle {
  const binary = process.env['ISTIO_ONRAMP_CONVERSION_ORACLE']
  if (binary === undefined) throw new Error('no oracle: hack/conversion/test builds one')
  const child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (question: object) => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    const { value, done } = (await lines.next()) as IteratorResult<string, undefined>
    if (done === true) throw new Error('the oracle has ended')
    return JSON.parse(value) as {
      readonly refusals?: readonly string[]
      readonly objects?: readonly JsonObject[]
    }
  }
  return {
    refusals: async (objects) => (await ask({ objects })).refusals ?? [],
    convert: async (ingresses, services) => (await ask({ ingresses, services })).objects ?? [],
    close: () => child.stdin.end(),
  }
}
