/**
 * Which controller serves an Ingress, and at which address. Each has its own load balancer: what one serves, the other
 * must not (https://kubernetes.github.io/ingress-nginx/user-guide/multiple-ingress/).
 */
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { ControllerClass } from './controller-class.ts'
import { classNameOf } from './class-name.ts'
import type { Ingress } from './ingress.ts'

/** Equal if the same controller serves both Ingresses at the same address. */
export interface EntryPoint {
  readonly key: string
  /** For messages: `class nginx-internal`. */
  readonly name: string
}

/**
 * Returns undefined without a class, because any controller may then serve the Ingress.
 *
 * | controller    | Ingresses have one entry point if                                                  |
 * |---------------|------------------------------------------------------------------------------------|
 * | ingress-nginx | their classes have the same `spec.controller`, or the same name if that is unknown |
 * | AWS, Azure    | their classes are the same, and both are internal or both are not                  |
 * | others        | their classes are the same                                                         |
 */
export function entryPointOf(
  ingress: Ingress,
  controller: ControllerClass,
  { controllerOf }: Pick<ConversionOptions, 'controllerOf'>,
): EntryPoint | undefined {
  const name = classNameOf(ingress)
  if (name === undefined) return undefined
  const known = controller === 'nginx' ? controllerOf(name) : undefined
  const reach = reachOf(ingress, controller)
  return { key: `${known ?? name}${reach}`, name: `class ${name}${reach}` }
}

/** An AWS load balancer is internal unless `scheme` says otherwise. */
function reachOf({ annotations }: Ingress, controller: ControllerClass): string {
  const scheme = annotations.get('alb.ingress.kubernetes.io/scheme')
  if (controller === 'alb') return scheme === 'internet-facing' ? ' (internet-facing)' : ' (internal)'
  return annotations.get('appgw.ingress.kubernetes.io/use-private-ip') === 'true' ? ' (private address)' : ''
}
