/** The fields of every emitted object. Its types are aliases, because an interface is not assignable to JSON. */
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

/** Returns the map if it has entries, because empty ones are not printed. */
export function someOf(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  return Object.keys(map).length === 0 ? undefined : map
}
