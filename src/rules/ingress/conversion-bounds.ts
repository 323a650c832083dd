/**
 * Which Ingresses admission converts. A denial has room for about 40 routes, and the user waits for it. Above these
 * bounds the denial is the short text, which needs no conversion. `convert` has no such bounds.
 */
import type { Ingress } from '../../conversion/ingress/ingress.ts'

const MAX_ROUTES = 200
/** Counts every text that the conversion reads; real Ingresses have a few kilobytes. */
const MAX_CHARACTERS = 64 * 1024

export function isTooBigToConvert(ingress: Ingress): boolean {
  return routeCount(ingress) > MAX_ROUTES || characterCount(ingress) > MAX_CHARACTERS
}

/** Aliases are hosts, and each serves every path of the Ingress. */
function routeCount({ rules, annotations }: Ingress): number {
  const paths = rules.reduce((sum, rule) => sum + Math.max(rule.paths.length, 1), 0)
  const aliases = [...annotations]
    .filter(([key]) => key.includes('alias'))
    .reduce((sum, [, value]) => sum + value.split(/[,\s]/).length, 0)
  return paths * (1 + aliases)
}

function characterCount({ rules, tls, annotations }: Ingress): number {
  const own = [...annotations].filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
  const texts = [
    ...own.flat(),
    ...rules.flatMap(({ host, paths }) => [
      host,
      ...paths.flatMap(({ path, backend }) => [path, backend?.service ?? '']),
    ]),
    ...tls.flatMap(({ hosts, secret }) => [...hosts, secret]),
  ]
  return texts.reduce((sum, text) => sum + text.length, 0)
}
