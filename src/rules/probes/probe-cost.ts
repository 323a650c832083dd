/** The CPU that probes cost a node, by strategy (docs/facts/probes-under-strict.md#exec-cost, measured). */
import { isHook, type Check } from '../../kubernetes/container.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { member } from '../../kubernetes/json.ts'

/** Milliseconds of CPU for one probe: the probe itself, kubelet, the container runtime and the proxy. */
const EXEC = 35
const AGENT = 1.8
const AGENT_GRPC = 2.1
/** The API server's default of `periodSeconds`. */
const PERIOD_SECONDS = 10

export interface NodeCpu {
  /** How many of the probes count. */
  readonly probes: number
  /** Milliseconds of CPU per minute, over all replicas, if every probe ran by exec. */
  readonly exec: number
  /** The same if Istio's agent served every probe. */
  readonly agent: number
}

/** Excludes hooks, which run once, and startup probes, which end when the container has started. */
export function nodeCpuPerMinute(checks: readonly Check[], replicas: number): NodeCpu {
  const steady = checks.filter(({ slot }) => !isHook(slot) && slot !== 'startupProbe')
  const sum = (cost: (check: Check) => number) =>
    steady.reduce((total, check) => total + (60 / periodOf(check)) * cost(check), 0) * replicas
  return { probes: steady.length, exec: sum(() => EXEC), agent: sum(agentCost) }
}

function periodOf({ raw }: Check): number {
  const period = member(raw, 'periodSeconds')
  return typeof period === 'number' && period > 0 ? period : PERIOD_SECONDS
}

function agentCost({ handler }: Check): number {
  return !isProblem(handler) && handler.kind === 'grpc' ? AGENT_GRPC : AGENT
}
