/**
 * Settings that users write as annotations. The pod's or object's takes precedence over the namespace's, and that over
 * the configuration. An invalid value blocks nothing: it is skipped, with a warning that names key, value and allowed
 * values.
 */
import { coded } from './reasons.ts'

export interface Annotated {
  /** `namespace shop` or `Pod shop/web`: the owner of the annotation, for the warning. */
  readonly owner: string
  readonly annotations: ReadonlyMap<string, string>
}

export interface Setting<Value> {
  readonly value: Value
  readonly warnings: readonly string[]
}

export function readSetting<Value extends string, Fallback extends Value | undefined>(
  key: string,
  allowed: readonly Value[],
  fallback: Fallback,
  owners: readonly Annotated[],
): Setting<Value | Fallback> {
  const warnings: string[] = []
  for (const { owner, annotations } of owners) {
    const text = annotations.get(key)
    if (text === undefined) continue
    const value = allowed.find((known) => known === text)
    if (value !== undefined) return { value, warnings }
    warnings.push(badValue(owner, key, text, allowed.join(', ')))
  }
  return { value: fallback, warnings }
}

/** Warns about a value that is not allowed. `parts` are the ignored parts if the rest of the value is used. */
export function badValue(
  owner: string,
  key: string,
  text: string,
  allowed: string,
  parts: readonly string[] = [],
): string {
  const ignored = parts.length === 0 ? 'it is ignored' : `${parts.join(', ')} is ignored`
  return coded(
    `${owner}: annotation ${key} is ${JSON.stringify(text)}; allowed are ${allowed}; ${ignored}`,
    'setting-refused',
  )
}
