/** What is known of one probe or hook: the user's handler, the port behind it, and whether we were here before. */
import { resolvePort, type Check, type Container } from '../../kubernetes/container.ts'
import { readHandler, type Handler } from '../../kubernetes/handler.ts'
import { arrayMember, member } from '../../kubernetes/json.ts'
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { isProberCommand } from './prober-command.ts'

export interface CheckFacts {
  readonly container: Container
  readonly check: Check
  /** The handler the user means: where ours stands beside another one, the other one. */
  readonly handler: Handler | Problem
  /**
   * Our exec in this check: `alone` after a rewrite, `beside` a user's handler after `kubectl apply` or `helm upgrade`
   * merged the manifest into a rewritten template (spec/apiserver.md section 8).
   */
  readonly ours: 'absent' | 'alone' | 'beside'
  /** The number behind the handler's port; undefined for a name that no port of the container has. */
  readonly port: number | undefined
}

export function readCheckFacts(container: Container, check: Check): CheckFacts {
  const hasOurs = isOurExec(check)
  const others = check.kinds.filter((kind) => kind !== 'exec')
  const [other] = others
  const isBeside = hasOurs && other !== undefined && others.length === 1
  const handler = isBeside ? readHandler(other, member(check.raw, other)) : check.handler
  const ours = isBeside ? 'beside' : hasOurs && !isProblem(check.handler) ? 'alone' : 'absent'
  return { container, check, handler, ours, port: portOf(handler, container) }
}

function isOurExec({ raw }: Check): boolean {
  const command = arrayMember(member(raw, 'exec'), 'command')
  return isProberCommand(command.map(String))
}

function portOf(handler: Handler | Problem, container: Container): number | undefined {
  if (isProblem(handler) || handler.kind === 'exec' || handler.kind === 'sleep') return undefined
  return resolvePort(handler.port, container)
}
