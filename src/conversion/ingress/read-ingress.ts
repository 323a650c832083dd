import type { IngressSettings } from '../model/ingress-settings.ts'
import type { Note } from '../model/report.ts'
import type { ControllerClass } from './controller-class.ts'
import type { Ingress } from './ingress.ts'

/** An Ingress with its controller and the settings from its annotations. */
export interface ReadIngress {
  readonly ingress: Ingress
  /** `namespace/name` */
  readonly id: string
  readonly controller: ControllerClass
  readonly settings: IngressSettings
  /** Notes about settings of the controller that it has by default. */
  readonly inherited?: readonly Note[]
}
