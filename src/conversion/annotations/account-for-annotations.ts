/**
 * Accounts for the annotations of an Ingress: settings for the following stages, and exactly one report line for each
 * annotation, known or not.
 */
import { ownEntry } from '../../kubernetes/json.ts'
import type { ControllerClass } from '../ingress/controller-class.ts'
import { classNameOf } from '../ingress/class-name.ts'
import { ingressId, type Ingress } from '../ingress/ingress.ts'
import { hasIstioApis, hasListenerSets, isStandard, type ConversionOptions } from '../model/conversion-options.ts'
import type { IngressSettings } from '../model/ingress-settings.ts'
import type { Claim, Reported, ReportLine } from '../model/report.ts'
import { backendActions } from './alb-actions.ts'
import {
  foreign,
  unsupported,
  type AllIngresses,
  type AnnotationPlace,
  type AnnotationSettings,
  type Effect,
  type Entry,
} from './entry.ts'
import { FAMILIES, OTHER_CLASSES, READER_NAMES, type Family, type Reader } from './families.ts'
import { mergeSettings } from './merge-settings.ts'
import { FOREIGN_PREFIXES } from './tools.ts'
import { withoutIstio } from './without-istio.ts'

const UNKNOWN = unsupported(
  'warn',
  'unknown annotation, nothing is generated for it: look it up in the documentation of the controller, and recreate what it does',
)
const NO_CONTROLLER = foreign('no known Ingress controller reads it; copy it to the new objects if a tool needs it')

/**
 * Returns the combined settings, and a line for each annotation in the order of the keys.
 */
export function accountForAnnotations(
  ingress: Ingress,
  controller: ControllerClass,
  options: Pick<ConversionOptions, 'target' | 'gateway' | 'gatewayApi'>,
  all: AllIngresses,
): Reported<IngressSettings, ReportLine | Claim> {
  const { target, gateway } = options
  const place = {
    ...{ ingress, controller, target, gateway, ...all },
    hasListenerSets: hasListenerSets(options),
    hasIstioApis: hasIstioApis(options),
    isExperimental: target === 'gateway-api' && options.gatewayApi?.isExperimental === true,
    hasCorsFilter: target === 'istio' || isStandard(options.gatewayApi) || options.gatewayApi?.isExperimental === true,
  }
  const read = [...ingress.annotations]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => ({ key, effect: effectOf(key, value, place) }))
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
  const family = familyOf(key, place)
  if (family === undefined) return foreignEffect(key, value, withSiblings(place, ''))
  const { prefix, readers } = family
  if (readers !== undefined && !isRead(family, place)) return unreadEffect(readers, place)
  const entry = entryOf(family, key.slice(prefix.length))
  const effect = (entry ?? UNKNOWN)(value, withSiblings(place, prefix))
  return place.hasIstioApis ? effect : withoutIstio(effect, place.ingress.namespace)
}

function familyOf(key: string, place: Place): Family | undefined {
  const families = FAMILIES.filter(({ prefix }) => key.startsWith(prefix))
  const knowing = families.filter((family) => entryOf(family, key.slice(family.prefix.length)) !== undefined)
  return knowing.find((family) => isRead(family, place)) ?? knowing[0] ?? families.at(-1)
}

function isRead({ readers }: Family, place: Place): boolean {
  return readers === undefined || readers.some((reader) => isOfClass(reader, place))
}

function unreadEffect(readers: readonly Reader[], { controller }: Place): Effect {
  const names = readers.map((reader) => READER_NAMES[reader])
  const message = `only ${names.join(' or ')} reads it, and this Ingress is for ${READER_NAMES[controller]}`
  return { outcome: 'foreign', level: 'info', message }
}

/** The name of the class decides, even if another controller's annotations suggest that controller. */
function isOfClass(reader: Reader, { controller, ingress }: Place): boolean {
  if (controller === 'unknown' || controller === reader) return true
  const name = classNameOf(ingress)
  return name !== undefined && isOtherClass(reader) && OTHER_CLASSES[reader].test(name)
}

function isOtherClass(reader: Reader): reader is keyof typeof OTHER_CLASSES {
  return Object.hasOwn(OTHER_CLASSES, reader)
}

function foreignEffect(key: string, value: string, place: AnnotationPlace): Effect {
  const entry = FOREIGN_PREFIXES.find(([prefix]) => key.startsWith(prefix))?.[1] ?? NO_CONTROLLER
  return entry(value, place)
}

/**
 * The longest part of a key after its prefix; longer keys cannot be stored (apimachinery util/validation,
 * IsQualifiedName).
 */
const LONGEST_NAME = 63

function entryOf({ table, patterns = [] }: Family, name: string): Entry | undefined {
  const named = ownEntry(table, name)
  if (named !== undefined) return named
  if (name.length > LONGEST_NAME) return undefined
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
