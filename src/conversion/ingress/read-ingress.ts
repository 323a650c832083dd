import type { IngressSettings } from '../model/ingress-settings.ts'
import type { Note } from '../model/report.ts'
import type { ControllerClass } from './controller-class.ts'
import type { EntryPoint } from './entry-point.ts'
import type { Ingress } from './ingress.ts'

/** An Ingress with its controller and the settings from its annotations. */
export interface ReadIngress {
  readonly ingress: Ingress
  /** `namespace/name` */
  readonly id: string
  readonly controller: ControllerClass
  /** Undefined if any controller may serve it. */
  readonly entryPoint: EntryPoint | undefined
  readonly settings: IngressSettings
  /** Notes about settings of the controller that it has by default. */
  readonly inherited?: readonly Note[]
}
