/**
 * What the annotations of an Ingress come to: settings for the stages that follow, and exactly one line of the report for each
 * annotation, known or not.
 */
import type { ControllerClass } from '../ingress/controller-class.ts'
import { ingressId, type Ingress } from '../ingress/ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { IngressSettings } from '../model/ingress-settings.ts'
import type { Claim, Reported, ReportLine } from '../model/report.ts'
import { backendActions } from './alb-actions.ts'
import {
  foreign,
  unsupported,
  type AnnotationPlace,
  type AnnotationSettings,
  type Effect,
  type Entry,
} from './entry.ts'
import { FAMILIES, OTHER_CLASSES, type Family, type Reader } from './families.ts'
import { mergeSettings } from './merge-settings.ts'
import { FOREIGN_PREFIXES } from './tools.ts'

const UNKNOWN = unsupported(
  'warn',
  'unknown annotation: nothing was generated for it; if a controller reads it, recreate its effect in Istio',
)
const NO_CONTROLLER = foreign('no known Ingress controller reads it; copy it to the new objects if a tool needs it')

/**
 * `ruleHosts` are the hosts that any Ingress of the conversion has rules for. Returns the settings of all annotations together, and a line
 * for each annotation in the order of their keys.
 */
export function accountForAnnotations(
  ingress: Ingress,
  controller: ControllerClass,
  { target, gateway }: Pick<ConversionOptions, 'target' | 'gateway'>,
  ruleHosts: ReadonlySet<string>,
): Reported<IngressSettings, ReportLine | Claim> {
  const read = [...ingress.annotations]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => ({ key, effect: effectOf(key, value, { ingress, controller, target, gateway, ruleHosts }) }))
  return {
    value: settingsOf(ingress, mergeSettings(read.map(({ effect }) => effect.settings ?? {}))),
    lines: read.map(({ key, effect }) => lineOf(ingressId(ingress), key, effect)),
  }
}

function lineOf(ingress: string, about: string, { level, outcome, message, claim }: Effect): ReportLine | Claim {
  const line = { ingress, level, about, outcome, message }
  return claim === undefined ? line : { decidedBy: claim, line }
}

function settingsOf(ingress: Ingress, { actions, ...settings }: AnnotationSettings): IngressSettings {
  const resolved = backendActions(ingress, actions)
  return resolved.size === 0 ? settings : { ...settings, backendActions: resolved }
}

type Place = Omit<AnnotationPlace, 'sibling' | 'effectOf'>

function effectOf(key: string, value: string, place: Place): Effect {
  const family = familyOf(key)
  if (family === undefined) return foreignEffect(key, value, withSiblings(place, ''))
  const { prefix, readers } = family
  if (readers !== undefined && !readers.some((reader) => isOfClass(reader, place)))
    return {
      outcome: 'foreign',
      level: 'info',
      message: `only the controller of class ${readers.join(' or ')} reads it; this Ingress is of class ${place.controller}`,
    }
  const entry = entryOf(family, key.slice(prefix.length))
  return (entry ?? UNKNOWN)(value, withSiblings(place, prefix))
}

function familyOf(key: string): Family | undefined {
  const families = FAMILIES.filter(({ prefix }) => key.startsWith(prefix))
  return families.find((family) => entryOf(family, key.slice(family.prefix.length)) !== undefined) ?? families.at(-1)
}

/** The name of the class decides even if annotations of another controller made the Ingress look like that one's. */
function isOfClass(reader: Reader, { controller, ingress }: Place): boolean {
  if (controller === 'unknown' || controller === reader) return true
  const name = ingress.annotations.get('kubernetes.io/ingress.class') ?? ingress.className
  return name !== undefined && isOtherClass(reader) && OTHER_CLASSES[reader].test(name)
}

function isOtherClass(reader: Reader): reader is keyof typeof OTHER_CLASSES {
  return Object.hasOwn(OTHER_CLASSES, reader)
}

function foreignEffect(key: string, value: string, place: AnnotationPlace): Effect {
  const entry = FOREIGN_PREFIXES.find(([prefix]) => key.startsWith(prefix))?.[1] ?? NO_CONTROLLER
  return entry(value, place)
}

function entryOf({ table, patterns = [] }: Family, name: string): Entry | undefined {
  if (Object.hasOwn(table, name)) return table[name]
  for (const [pattern, build] of patterns) {
    const found = pattern.exec(name)?.[1]
    if (found !== undefined) return build(found)
  }
  return undefined
}

function withSiblings(place: Place, prefix: string): AnnotationPlace {
  const sibling = (name: string) => place.ingress.annotations.get(`${prefix}${name}`)
  return {
    ...place,
    sibling,
    effectOf(name) {
      const value = sibling(name)
      return value === undefined ? undefined : effectOf(`${prefix}${name}`, value, place)
    },
  }
}
