/**
 * The effect of one annotation: an outcome with its message, and the settings that it requests. A few constructors make
 * the entries, so that a table of entries reads as a table.
 */
import type { GatewaySettings, Target } from '../model/conversion-options.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { BackendAt } from './nginx/auth-service.ts'
import type { ControllerClass } from '../ingress/controller-class.ts'
import type { Ingress } from '../ingress/ingress.ts'
import type { IngressSettings, RedirectTarget } from '../model/ingress-settings.ts'
import type { Claim, Level, Outcome } from '../model/report.ts'

export interface Effect {
  readonly outcome: Outcome
  readonly level: Level
  readonly message: string
  readonly settings?: AnnotationSettings
  /** The question that a later stage answers to settle the outcome. */
  readonly claim?: Claim['decidedBy']
}

export interface AnnotationSettings extends IngressSettings {
  /** The redirect actions of the AWS Load Balancer Controller, by name. */
  readonly actions?: ReadonlyMap<string, RedirectTarget>
}

/** What annotations depend on in other Ingresses of the conversion. */
export interface AllIngresses {
  /** The hosts for which any Ingress has rules. */
  readonly ruleHosts: ReadonlySet<string>
  /** Traefik's Middleware objects, by `namespace-name`. */
  readonly middlewares: ReadonlyMap<string, JsonObject>
  /** The Service to which Ingresses lead a request. */
  readonly backendAt: BackendAt
  /** The headers that any Ingress wants from an authorization service, by the name of its provider. */
  readonly authHeaders: ReadonlyMap<string, readonly string[]>
}

/** The surroundings of an annotation. */
export interface AnnotationPlace extends AllIngresses {
  readonly ingress: Ingress
  readonly controller: ControllerClass
  readonly target: Target
  readonly gateway: GatewaySettings
  /** Whether objects of Istio's own APIs may be printed. */
  readonly hasIstioApis: boolean
  /** Whether Gateway API's experimental channel may be used. */
  readonly isExperimental: boolean
  /** Whether a route can have a CORS policy. */
  readonly hasCorsFilter: boolean
  /** Whether the namespace gets a ListenerSet of its own, for annotations about its listeners. */
  readonly hasListenerSets: boolean
  /** The value of another annotation of the same table. */
  readonly sibling: (name: string) => string | undefined
  /** The effect of another annotation of the same table; undefined if the Ingress does not have it. */
  readonly effectOf: (name: string) => Effect | undefined
}

export type Entry = (value: string, place: AnnotationPlace) => Effect

/** Entries by the part of the key after the table's prefix. */
export type AnnotationTable = Readonly<Record<string, Entry>>

export function notNeeded(message: string): Entry {
  return () => ({ outcome: 'not-needed', level: 'info', message })
}

export function foreign(message: string): Entry {
  return () => ({ outcome: 'foreign', level: 'info', message })
}

export function unsupported(level: Level, message: string): Entry {
  return () => ({ outcome: 'unsupported', level, message })
}

export function platformStep(level: Level, message: string): Entry {
  return () => ({ outcome: 'platform-step', level, message })
}

/** An annotation that only has an effect together with another one. */
export function beside(main: string, entry: Entry): Entry {
  return (value, place) => (place.sibling(main) === undefined ? partOf(main)(value, place) : entry(value, place))
}

/** A parameter of another annotation, whose outcome it shares. */
export function partOf(main: string): Entry {
  return (_, place) => {
    const effect = place.effectOf(main)
    if (effect === undefined)
      return { outcome: 'not-needed', level: 'info', message: `has no effect without ${main}, which is absent` }
    return { outcome: effect.outcome, level: 'info', message: `part of ${main}` }
  }
}

/** A parameter with a check of its value; the controller replaces other values by its default. */
export function checkedPart(main: string, isAllowed: (value: string) => boolean, allowed: string): Entry {
  return (value, place) =>
    isAllowed(value) || !isInForce(main, place) ? partOf(main)(value, place) : refused(value, allowed)
}

/** Whether another annotation is present and has an effect. */
export function isInForce(main: string, { effectOf }: AnnotationPlace): boolean {
  return (effectOf(main)?.outcome ?? 'not-needed') !== 'not-needed'
}

/** A switch, which has no effect if it is `"false"`. */
export function whenTrue(entry: Entry): Entry {
  return (value, place) => {
    const flag = readFlag(value)
    if (flag === undefined) return refused(value, 'true or false')
    return flag ? entry(value, place) : { outcome: 'not-needed', level: 'info', message: 'is switched off' }
  }
}

export function converted(settings: AnnotationSettings, message: string): Effect {
  return { outcome: 'converted', level: 'info', message, settings }
}

/** Converted if every host of the Ingress is served over HTTPS, which the gateway stage decides. */
export function claimsHttpsRedirect(message: string): Effect {
  return { ...converted({ redirectsToHttps: true, redirectsEveryHost: true }, message), claim: 'https-redirect' }
}

export function approximate(level: Level, settings: AnnotationSettings, message: string): Effect {
  return { outcome: 'approximate', level, message, settings }
}

/** The controller refuses or ignores such a value as well, so nothing is lost that ever worked. */
export function refused(value: string, allowed: string): Effect {
  return {
    outcome: 'unsupported',
    level: 'warn',
    message: `is ${JSON.stringify(value)}; allowed is ${allowed}; it is ignored`,
  }
}

export function isBlank(value: string): boolean {
  return value.trim() === ''
}

/** Reads `strconv.ParseBool` of Go, as controllers do. */
export function readFlag(value: string): boolean | undefined {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true
  return /^(?:0|f|F|false|FALSE|False)$/.test(value) ? false : undefined
}

/** Reads a whole number of at least `least`. */
export function readWhole(value: string | undefined, least = 0): number | undefined {
  const number = value !== undefined && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined
  return number !== undefined && number >= least ? number : undefined
}

/** Returns the parts of a comma-separated list, trimmed and without empty ones. */
export function readList(value: string): readonly string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

export const SECONDS = 'a whole number of seconds'

export function isWhole(value: string): boolean {
  return readWhole(value) !== undefined
}
