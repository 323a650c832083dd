/**
 * Ingresses that cert-manager creates for an HTTP-01 challenge and removes afterwards
 * (https://cert-manager.io/docs/configuration/acme/http01/).
 */
import { labelsOf } from '../../kubernetes/object.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Ingress } from './ingress.ts'

/** A token as in RFC 8555 section 8.3 (base64url), which no controller treats as a pattern. */
const CHALLENGE = /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]+$/

export function isChallengePath(path: string): boolean {
  return CHALLENGE.test(path)
}

/** The label alone proves nothing, because users can set it. Every rule must serve challenges and nothing else. */
export function isAcmeSolver(object: JsonObject, { rules, defaultBackend }: Ingress): boolean {
  return (
    labelsOf(object).get('acme.cert-manager.io/http01-solver') === 'true' &&
    defaultBackend === undefined &&
    rules.length > 0 &&
    rules.every(({ paths }) => paths.length > 0 && paths.every(({ path }) => isChallengePath(path)))
  )
}
