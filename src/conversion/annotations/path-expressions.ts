/**
 * Paths that the controller marks as regular expressions individually. Kong's begin with `/~`
 * (https://developer.konghq.com/kubernetes-ingress-controller/reference/annotations/); F5's are named by the annotation
 * `path-regex`
 * (https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/).
 */
import type { Ingress, IngressPath } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'

export function withPathExpressions(reading: ReadIngress): ReadIngress {
  const mark = markOf(reading)
  return mark === undefined ? reading : { ...reading, ingress: withPaths(reading.ingress, mark) }
}

type Mark = (path: IngressPath) => IngressPath

function markOf({ controller, settings: { pathExpressions } }: ReadIngress): Mark | undefined {
  if (controller === 'kong')
    return (path) =>
      path.path.startsWith('/~') ? { ...path, expression: { pattern: path.path.slice(2), ignoresCase: false } } : path
  if (pathExpressions === undefined) return undefined
  const mark: Mark =
    pathExpressions === 'exact'
      ? (path) => ({ ...path, pathType: 'Exact' })
      : (path) => ({
          ...path,
          expression: { pattern: path.path, ignoresCase: pathExpressions === 'case-insensitive' },
        })
  // Traefik reads the other types as Kubernetes defines them.
  return controller === 'traefik' ? (path) => (path.pathType === 'ImplementationSpecific' ? mark(path) : path) : mark
}

function withPaths(ingress: Ingress, mark: Mark): Ingress {
  return { ...ingress, rules: ingress.rules.map((rule) => ({ ...rule, paths: rule.paths.map(mark) })) }
}
