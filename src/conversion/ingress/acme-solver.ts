/** Ingresses that cert-manager makes for an HTTP-01 challenge and takes away again (spec/ingress.md 3.3). */
import { labelsOf } from '../../kubernetes/object.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Ingress } from './ingress.ts'

const CHALLENGE = '/.well-known/acme-challenge/'

export function isChallengePath(path: string): boolean {
  return path.startsWith(CHALLENGE)
}

/** The label alone is no proof, users can set it: every path has to be a challenge's. */
export function isAcmeSolver(object: JsonObject, { rules, defaultBackend }: Ingress): boolean {
  const paths = rules.flatMap((rule) => rule.paths)
  return (
    labelsOf(object).get('acme.cert-manager.io/http01-solver') === 'true' &&
    defaultBackend === undefined &&
    paths.length > 0 &&
    paths.every(({ path }) => isChallengePath(path))
  )
}
