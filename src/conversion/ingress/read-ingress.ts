import type { IngressSettings } from '../model/ingress-settings.ts'
import type { ControllerClass } from './controller-class.ts'
import type { Ingress } from './ingress.ts'

/** An Ingress with its controller and the settings from its annotations. */
export interface ReadIngress {
  readonly ingress: Ingress
  /** `namespace/name` */
  readonly id: string
  readonly controller: ControllerClass
  readonly settings: IngressSettings
}
