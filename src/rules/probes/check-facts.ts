/** The facts about one probe or hook: the user's handler, its port, and an earlier rewrite. */
import { resolvePort, type Check, type Container } from '../../kubernetes/container.ts'
import { readHandler, type Handler, type NetworkHandler } from '../../kubernetes/handler.ts'
import { arrayMember, member } from '../../kubernetes/json.ts'
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { isProberCommand } from './prober-command.ts'

export interface CheckFacts {
  readonly container: Container
  readonly check: Check
  /** The user's handler; if the prober's exec is beside it, the other one. */
  readonly handler: Handler | Problem
  /**
   * The prober's exec: `alone` after a rewrite, `beside` a user's handler after `kubectl apply` or `helm upgrade`
   * merged the manifest into a rewritten template (docs/facts/admission-requests.md#rewritten-templates).
   */
  readonly prober: 'absent' | 'alone' | 'beside'
  /** The resolved port; undefined if the handler names a port that the container does not have. */
  readonly port: number | undefined
}

export function readCheckFacts(container: Container, check: Check): CheckFacts {
  const hasProber = runsProber(check)
  const others = check.kinds.filter((kind) => kind !== 'exec')
  const [other] = others
  const isBeside = hasProber && other !== undefined && others.length === 1
  const handler = isBeside ? readHandler(other, member(check.raw, other)) : check.handler
  const prober = isBeside ? 'beside' : hasProber && !isProblem(check.handler) ? 'alone' : 'absent'
  return { container, check, handler, prober, port: portOf(handler, container) }
}

function runsProber({ raw }: Check): boolean {
  const command = arrayMember(member(raw, 'exec'), 'command')
  return isProberCommand(command.map(String))
}

function portOf(handler: Handler | Problem, container: Container): number | undefined {
  if (isProblem(handler) || handler.kind === 'exec' || handler.kind === 'sleep') return undefined
  return resolvePort(handler.port, container)
}

/** A probe or hook whose handler connects to a port. */
export type NetworkCheck = CheckFacts & { readonly handler: NetworkHandler }

export function isNetworkCheck(facts: CheckFacts): facts is NetworkCheck {
  const { handler } = facts
  return !isProblem(handler) && handler.kind !== 'exec' && handler.kind !== 'sleep'
}
