/**
 * Compares the traffic that an ingress controller serves before and after an update. Only this distinguishes a harmless
 * edit from a new way into the mesh: labels, finalizers, status and ACME challenges add nothing, but a class, host,
 * path, default backend or snippet does, wherever it is in the object.
 */
import { isChallengePath } from '../../conversion/ingress/acme-solver.ts'
import {
  arrayMember,
  equalJson,
  isObject,
  member,
  stringMember,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { annotationsOf } from '../../kubernetes/object.ts'
import { routeAnnotations } from './route-annotations.ts'

export type TrafficChange =
  /** The same spec, class and route annotations. */
  | 'none'
  /** Only ACME challenges come or go, as with cert-manager's edit-in-place on a user's own Ingress. */
  | 'acme-challenges'
  | 'other'

export function trafficChange(before: JsonObject, after: JsonObject): TrafficChange {
  if (!equalMaps(routeAnnotations(annotationsOf(before)), routeAnnotations(annotationsOf(after)))) return 'other'
  if (equalJson(member(before, 'spec'), member(after, 'spec'))) return 'none'
  return equalJson(withoutChallenges(before), withoutChallenges(after)) ? 'acme-challenges' : 'other'
}

/**
 * | rule                                                    | kept                         |
 * |---------------------------------------------------------|------------------------------|
 * | has a path that is not a challenge                      | host and those paths         |
 * | has no path: everything goes to the default backend     | host                         |
 * | has challenges only, and there is a default backend     | host: the rest goes there    |
 * | has challenges only, and there is none                  | nothing                      |
 */
function withoutChallenges(object: JsonObject): Json {
  const spec = member(object, 'spec')
  if (!isObject(spec)) return null
  const hasDefault = hasDefaultBackend(object, spec)
  const rules = arrayMember(spec, 'rules').map((rule) => {
    const paths = arrayMember(member(rule, 'http'), 'paths')
    const own = paths.filter((path) => !isChallengePath(stringMember(path, 'path') ?? ''))
    return {
      host: member(rule, 'host') ?? null,
      paths: own,
      isKept: own.length > 0 || paths.length === 0 || hasDefault,
    }
  })
  return { ...spec, rules: rules.filter(({ isKept }) => isKept).map(({ host, paths }) => ({ host, paths })) }
}

/** ingress-nginx also reads it from an annotation. */
function hasDefaultBackend(object: JsonObject, spec: JsonObject): boolean {
  if (isObject(member(spec, 'defaultBackend')) || isObject(member(spec, 'backend'))) return true
  return [...annotationsOf(object).keys()].some((key) => key.endsWith('/default-backend'))
}

function equalMaps(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value)
}
