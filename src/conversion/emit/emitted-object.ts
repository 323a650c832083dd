/** What every emitted object has. The types of emitted objects are aliases, not interfaces, so that each is JSON. */
import type { JsonObject } from '../../kubernetes/json.ts'

export type ObjectMetadata = {
  readonly name: string
  readonly namespace: string
  readonly annotations?: Readonly<Record<string, string>>
}

export type EmittedObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
  readonly spec: JsonObject
}

/** Returns the map if it has entries: empty ones are not printed. */
export function someOf(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  return Object.keys(map).length === 0 ? undefined : map
}
