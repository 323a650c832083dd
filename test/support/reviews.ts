/** The AdmissionReview that the API server sends to a webhook. */
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'

/** `envelope` replaces members around the request. */
export function review(request: JsonObject, envelope: JsonObject = {}): JsonObject {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request, ...envelope }
}

/** The request for a new Pod `web` in namespace `shop`, or what `changes` makes of it. */
export function createPodRequest(object: Json, changes: JsonObject = {}): JsonObject {
  return {
    uid: 'u-1',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'web',
    object,
    oldObject: null,
    ...changes,
  }
}

/** The body of that request as JSON. */
export function reviewOf(object: Json, changes: JsonObject = {}): string {
  return JSON.stringify(review(createPodRequest(object, changes)))
}
