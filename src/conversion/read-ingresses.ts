/** Each Ingress with its class, its settings and a place for what is said of it. */
import { accountForAnnotations } from './annotations/annotation-registry.ts'
import { controllerClass, type ControllerClass } from './ingress/controller-class.ts'
import type { ConversionOptions } from './model/conversion-options.ts'
import type { Ingress } from './ingress/ingress.ts'
import type { IngressSettings } from './model/ingress-settings.ts'
import type { Remark } from './model/report.ts'

export interface ReadIngress {
  readonly ingress: Ingress
  /** `namespace/name` */
  readonly id: string
  readonly controller: ControllerClass
  readonly settings: IngressSettings
  /** Grows while the conversion goes on. */
  readonly remarks: Remark[]
}

/** Oldest first where they have a time, as controllers order them (spec/ingress.md 1.3); else in the order given. */
export function readIngresses(ingresses: readonly Ingress[], options: ConversionOptions): readonly ReadIngress[] {
  return ingresses
    .toSorted((left, right) => (left.createdAt === right.createdAt ? 0 : left.createdAt < right.createdAt ? -1 : 1))
    .map((ingress) => {
      const controller = controllerClass(ingress, options.controllerOf)
      const { settings, remarks } = accountForAnnotations(ingress, controller, options)
      const id = `${ingress.namespace}/${ingress.name}`
      return { ingress, id, controller, settings, remarks: [...ingress.remarks, ...remarks] }
    })
}
