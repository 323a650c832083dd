/** What an Ingress of ingress-nginx gets from the settings of the controller itself. */
import type { ControllerClass } from '../../ingress/controller-class.ts'
import type { Ingress } from '../../ingress/ingress.ts'
import type { ConversionOptions } from '../../model/conversion-options.ts'
import { NO_HEADER_CHANGES, type IngressSettings } from '../../model/ingress-settings.ts'
import type { Note, ReportLine } from '../../model/report.ts'
import { hstsOf, ignoredBecause, inheritedAnnotations } from './controller-settings.ts'

const NOTHING: ReadonlyMap<string, string> = new Map()

/** Returns the annotations that the controller's settings amount to. */
export function inheritedFor(
  { annotations }: Ingress,
  controller: ControllerClass,
  { controllerSettings }: ConversionOptions,
): ReadonlyMap<string, string> {
  if (controller !== 'nginx' || controllerSettings === undefined) return NOTHING
  return inheritedAnnotations(controllerSettings, annotations)
}

/** Returns the annotations that the controller ignores because of its settings, with the reason. */
export function ignoredAnnotations(
  { annotations }: Ingress,
  controller: ControllerClass,
  { controllerSettings }: ConversionOptions,
): ReadonlyMap<string, string> {
  if (controller !== 'nginx' || controllerSettings === undefined) return NOTHING
  return new Map(
    [...annotations.keys()].flatMap((key) => {
      const reason = ignoredBecause(key, controllerSettings)
      return reason === undefined ? [] : [[key, reason] as const]
    }),
  )
}

/** Returns the note about a setting that no annotation of the Ingress contains. */
export function inheritedNote({ level, about, outcome, message }: ReportLine): Note {
  return { level, about: `ingress-nginx ${about.replace(/^.*\//, '')}`, outcome, message }
}

/** Sets the header of HSTS where the settings of the controller are known and the Ingress has TLS. */
export function withHsts(
  settings: IngressSettings,
  { tls }: Ingress,
  controller: ControllerClass,
  { controllerSettings }: ConversionOptions,
): IngressSettings {
  const value = controllerSettings === undefined ? undefined : hstsOf(controllerSettings)
  if (value === undefined || controller !== 'nginx' || tls.every(({ secret }) => secret === '')) return settings
  const { headerChanges = NO_HEADER_CHANGES } = settings
  const { response } = headerChanges
  const set = { ...response.set, 'strict-transport-security': value }
  return { ...settings, headerChanges: { ...headerChanges, response: { ...response, set } } }
}
