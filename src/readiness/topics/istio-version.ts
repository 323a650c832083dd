import type { Version } from '../../istio/version.ts'
import type { Estate } from '../estate.ts'
import type { UnitSidecar } from '../workload.ts'

/** Returns the version of the injector that serves the pod; undefined if it is unknown. */
export function versionOf({ controlPlane }: UnitSidecar, { inventory }: Estate): Version | undefined {
  return (controlPlane.injector ?? inventory.controlPlane('default').injector)?.version
}
