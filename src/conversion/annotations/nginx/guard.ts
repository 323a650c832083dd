/** What applies to every annotation of ingress-nginx. */
import {
  isBlank,
  notNeeded,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from '../entry.ts'

/**
 * | first match wins                 | the annotation                                          |
 * |----------------------------------|---------------------------------------------------------|
 * | it is empty                      | is ignored (`parseString` of ingress-nginx' parser)     |
 * | it is a canary annotation        | counts                                                  |
 * | the Ingress is a canary          | is ignored, except balancing (annotations.md, "Canary") |
 * | the Ingress passes TLS through   | is ignored (annotations.md, "SSL Passthrough"), except  |
 * |                                  | redirects to HTTPS, which hold for port 80              |
 * | the Ingress has no rules, and it | is ignored (`createServers` in controller.go: "Redirect |
 * | rewrites or redirects            | and rewrite can affect the catch all behavior, skip")   |
 * | otherwise                        | counts                                                  |
 */
export function nginxTable(table: AnnotationTable): AnnotationTable {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, guarded(name, entry)]))
}

const EMPTY = notNeeded('is empty, which counts as absent')

const ON_CANARY = notNeeded('ingress-nginx ignores it on a canary; the main Ingress decides')

const ON_PASSTHROUGH = notNeeded('has no effect on a host whose TLS is passed through')

const ON_CATCH_ALL = notNeeded('ingress-nginx neither rewrites nor redirects for a default backend without rules')

/** Annotations that count on a host whose TLS is passed through, because its plain requests are redirected. */
const OF_PASSED_HOSTS = /^(?:ssl-passthrough|(?:force-)?ssl-redirect)$/

/** Annotations that redirect, rewrite or need a host. */
const OF_LOCATIONS =
  /^(?:rewrite-target|use-regex|app-root|(?:permanent|temporal)-redirect(?:-code)?|(?:force-)?ssl-redirect|from-to-www-redirect|preserve-trailing-slash|server-alias|server-snippet|ssl-passthrough)$/

const BALANCING = unsupported(
  'warn',
  "not converted on a canary: its Service gets the mesh's default load balancing; a DestinationRule for that Service can change it",
)

const OF_CANARY = /^canary(?:-|$)/

/** Annotations other than the canary ones that ingress-nginx reads on a canary. */
const OF_BALANCING = /^(?:load-balance|upstream-hash-by.*|affinity.*|session-cookie-.*)$/

function guarded(name: string, entry: Entry): Entry {
  return (value, given) => {
    if (isBlank(value)) return EMPTY(value, given)
    const place = withoutBlanks(given)
    if (OF_CANARY.test(name)) return entry(value, place)
    if (place.effectOf('canary')?.settings?.canary !== undefined)
      return OF_BALANCING.test(name) ? balancingEffect(entry, value, place) : ON_CANARY(value, place)
    const isVoid = !OF_PASSED_HOSTS.test(name) && place.effectOf('ssl-passthrough')?.settings?.isPassthrough === true
    if (isVoid) return ON_PASSTHROUGH(value, place)
    return isCatchAll(place) && OF_LOCATIONS.test(name) ? ON_CATCH_ALL(value, place) : entry(value, place)
  }
}

function isCatchAll({ ingress }: AnnotationPlace): boolean {
  return ingress.rules.length === 0 && ingress.defaultBackend !== undefined
}

/** Hides empty annotations. */
function withoutBlanks(place: AnnotationPlace): AnnotationPlace {
  const sibling = (name: string): string | undefined => {
    const value = place.sibling(name)
    return value === undefined || isBlank(value) ? undefined : value
  }
  return { ...place, sibling, effectOf: (name) => (sibling(name) === undefined ? undefined : place.effectOf(name)) }
}

function balancingEffect(entry: Entry, value: string, place: AnnotationPlace): Effect {
  const effect = entry(value, place)
  return effect.settings === undefined ? effect : BALANCING(value, place)
}

/** `off` and `default` do not change the application's headers. */
export function unlessOff(entry: Entry): Entry {
  return (value, place) =>
    ['off', 'default'].includes(value)
      ? notNeeded('headers are passed on unchanged')(value, place)
      : entry(value, place)
}
