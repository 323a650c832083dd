/** What each port of each workload does with plain text, now and once its namespace is STRICT: a table for people. */
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import { assumingStrict } from './assess.ts'
import { containerPorts } from './container-port.ts'
import type { Estate } from './estate.ts'
import { reception, situationOf, type Reception } from './situation.ts'
import type { Workload } from './workload.ts'

export interface WorkloadPorts {
  readonly object: ObjectReference
  readonly mesh: 'sidecar' | 'ambient' | 'refused' | 'outside'
  readonly ports: readonly PortModes[]
}

export interface PortModes {
  readonly number: number
  readonly name: string
  readonly now: PlainText
  readonly ifStrict: PlainText
}

/** Whether a port takes plain text: its proxy does, its proxy refuses it, or no proxy sees it. */
export type PlainText = Reception['kind']

/** `alsoPorts` are ports of the workload that its containers do not declare. */
export function tabulatePorts(
  estate: Estate,
  policies: PolicyIndex,
  configuration: RuleConfiguration,
  wanted: (namespace: string) => boolean,
  alsoPorts: (workload: ObjectReference) => readonly number[],
): readonly WorkloadPorts[] {
  const now = situationOf(estate, policies, configuration)
  return estate.namespaces
    .map(({ name }) => name)
    .filter(wanted)
    .flatMap((name) => {
      const strict = situationOf(estate, assumingStrict(policies, name), configuration, name)
      return estate.workloadsOf(name).flatMap((workload) => {
        const [unit] = workload.units
        if (unit === undefined) return []
        const ports = portsOf(workload, alsoPorts(workload.reference)).map(([number, portName]) => ({
          number,
          name: portName,
          now: reception(unit, number, now).kind,
          ifStrict: reception(unit, number, strict).kind,
        }))
        return [{ object: workload.reference, mesh: unit.mesh.kind, ports }]
      })
    })
}

/** Returns each port with its name, in ascending order. */
function portsOf({ units }: Workload, also: readonly number[]): readonly (readonly [number, string])[] {
  const declared = units.flatMap(({ pod }) => containerPorts(pod)).map(({ number, name }) => [number, name] as const)
  const ports = new Map([...also.map((number) => [number, ''] as const), ...declared])
  return [...ports].toSorted(([left], [right]) => left - right)
}
