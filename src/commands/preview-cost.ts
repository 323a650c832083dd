/** What the exec probes of previewed objects cost a node, beside what Istio's agent would cost. */
import { counted } from '../kubernetes/counted.ts'
import { memberAt } from '../kubernetes/json.ts'
import { readPodTemplate } from '../kubernetes/pod-template.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { nodeCpuPerMinute } from '../rules/probes/probe-cost.ts'
import type { PreviewEntry } from './preview-entry.ts'
import { rewrittenIn } from './preview-text.ts'

/** Milliseconds of node CPU per minute, of all replicas. */
export interface Cost {
  readonly probes: number
  readonly exec: number
  readonly agent: number
  /** `spec.replicas`; undefined for a kind without replicas, and for a sum. */
  readonly replicas: number | undefined
}

export const NO_COST: Cost = { probes: 0, exec: 0, agent: 0, replicas: undefined }

export function sumOf(left: Cost, right: Cost): Cost {
  return {
    probes: left.probes + right.probes,
    exec: left.exec + right.exec,
    agent: left.agent + right.agent,
    replicas: undefined,
  }
}

/** The cost of the exec probes after the rewrite. */
export function costOf(entry: PreviewEntry): Cost {
  const { reference, before, pod, role } = entry
  const template =
    role === 'pods-shown' && pod !== undefined
      ? readPodTemplate('Pod', pod.before)
      : readPodTemplate(reference.kind, before)
  const execs = rewrittenIn(entry).filter(({ strategy }) => strategy === 'exec')
  if (isProblem(template) || execs.length === 0) return NO_COST
  const checks = template.containers
    .flatMap(({ name, checks: all }) => all.map((check) => ({ name, check })))
    .filter(({ name, check }) => execs.some(({ container, slot }) => container === name && slot === check.slot))
    .map(({ check }) => check)
  const given = memberAt(before, 'spec', 'replicas')
  const replicas = typeof given === 'number' ? given : undefined
  return { ...nodeCpuPerMinute(checks, replicas ?? 1), replicas }
}

/** Returns `2 exec probes: 2.1 s of node CPU per minute ...`; undefined if there are none. */
export function costText({ probes, exec, agent, replicas }: Cost): string | undefined {
  if (probes === 0) return undefined
  const scale = replicas === undefined ? '' : ` and ${counted(replicas, 'replica')}`
  return `${counted(probes, 'exec probe')}: ${seconds(exec)} of node CPU per minute at these periods${scale}; ${seconds(agent)} if Istio's agent served ${probes === 1 ? 'it' : 'them'}`
}

function seconds(milliseconds: number): string {
  if (milliseconds < 100) return `${Math.round(milliseconds)} ms`
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`
}
