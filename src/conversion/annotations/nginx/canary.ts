/** ingress-nginx: a canary Ingress, a second backend of the main Ingress (docs/facts/ingress-nginx.md#canaries). */
import { isIdle, type Canary } from '../../model/ingress-settings.ts'
import { regexProblem } from '../../model/regular-expression.ts'
import {
  approximate,
  converted,
  partOf,
  readWhole,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_CANARY: AnnotationTable = nginxTable({
  canary: whenTrue(readCanary),
  'canary-weight': partOf('canary'),
  'canary-weight-total': partOf('canary'),
  'canary-by-header': partOf('canary'),
  'canary-by-header-value': partOf('canary'),
  'canary-by-header-pattern': partOf('canary'),
  'canary-by-cookie': partOf('canary'),
})

/**
 * Invalid numbers fall back to 0 and 100, the total is at least 100, and the weight is at most the total
 * (`route_to_alternative_balancer` in ingress-nginx' balancer.lua).
 */
function readCanary(_: string, { sibling }: AnnotationPlace): Effect {
  const problems = numberProblems(sibling)
  const weightTotal = Math.max(readWhole(sibling('canary-weight-total')) ?? 100, 100)
  const weight = Math.min(readWhole(sibling('canary-weight')) ?? 0, weightTotal)
  const { header, problem } = readHeader(sibling)
  const canary: Canary = { header, cookie: sibling('canary-by-cookie'), weight, weightTotal }
  if (problem !== undefined) return { outcome: 'unsupported', level: 'error', message: problem, settings: { canary } }
  if (problems.length > 0) return approximate('warn', { canary }, problems.join('; '))
  if (isIdle(canary))
    return {
      outcome: 'not-needed',
      level: 'warn',
      message: 'no request reaches it, as in ingress-nginx: it has neither a weight nor a header nor a cookie',
      settings: { canary },
    }
  return converted({ canary }, 'a second backend of the paths of the main Ingress')
}

function numberProblems(sibling: AnnotationPlace['sibling']): readonly string[] {
  const isBad = (name: string) => sibling(name) !== undefined && readWhole(sibling(name)) === undefined
  return [
    ...(isBad('canary-weight')
      ? [`canary-weight is ${JSON.stringify(sibling('canary-weight'))}, which is not a whole number: it counts as 0`]
      : []),
    ...(isBad('canary-weight-total')
      ? [
          `canary-weight-total is ${JSON.stringify(sibling('canary-weight-total'))}, which is not a whole number: it counts as 100`,
        ]
      : []),
  ]
}

interface HeaderReading {
  readonly header: Canary['header']
  readonly problem?: string
}

/** A value takes precedence over a pattern. Without either, the header is `always` or `never`. */
function readHeader(sibling: AnnotationPlace['sibling']): HeaderReading {
  const name = sibling('canary-by-header')?.toLowerCase()
  if (name === undefined) return { header: undefined }
  const value = sibling('canary-by-header-value')
  const pattern = value === undefined ? sibling('canary-by-header-pattern') : undefined
  if (pattern === undefined) return { header: { name, value, pattern } }
  const problem = regexProblem(pattern)
  if (problem !== undefined)
    return { header: undefined, problem: `canary-by-header-pattern ${problem}; the header is ignored` }
  return { header: { name, value, pattern: `.*(?:${pattern}).*` } }
}
