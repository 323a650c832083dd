/**
 * Which annotations may loosen a rule for a namespace or an object. Tightening is always allowed, because it grants
 * nothing. Values are ordered from strictest to loosest.
 *
 * | exemptions  | setting in effect                                                            |
 * |-------------|------------------------------------------------------------------------------|
 * | `object`    | the object's value, otherwise the namespace's, otherwise the configured one  |
 * | `namespace` | the namespace's value, otherwise the configured one; the object may tighten  |
 * | `none`      | the configured value; the namespace and the object may tighten               |
 */
export const EXEMPTION_VALUES = ['object', 'namespace', 'none'] as const

export type Exemptions = (typeof EXEMPTION_VALUES)[number]

export interface Wishes<Value> {
  readonly configured: Value
  /** The namespace's annotation; undefined if it is absent or invalid. */
  readonly namespace: Value | undefined
  /** The object's own annotation; undefined if it is absent or invalid. */
  readonly object: Value | undefined
}

export interface EffectiveSetting<Value> {
  readonly value: Value
  /** Whose annotation loosened the setting; undefined if none did. */
  readonly exemptedBy: 'object' | 'namespace' | undefined
  /** Whose looser annotation is ignored, because `exemptions` does not allow it. */
  readonly refused: readonly ('object' | 'namespace')[]
}

export function effectiveSetting<Value>(
  exemptions: Exemptions,
  strictestFirst: readonly Value[],
  { configured, namespace, object }: Wishes<Value>,
): EffectiveSetting<Value> {
  const isLooser = (wish: Value | undefined, than: Value): boolean =>
    wish !== undefined && strictestFirst.indexOf(wish) > strictestFirst.indexOf(than)
  const refusesNamespace = exemptions === 'none' && isLooser(namespace, configured)
  const ofNamespace = refusesNamespace ? configured : (namespace ?? configured)
  const refusesObject = exemptions !== 'object' && isLooser(object, ofNamespace)
  const value = refusesObject ? ofNamespace : (object ?? ofNamespace)
  const refused = [
    ...(refusesNamespace ? (['namespace'] as const) : []),
    ...(refusesObject ? (['object'] as const) : []),
  ]
  return { value, exemptedBy: exemptedBy(), refused }

  function exemptedBy(): 'object' | 'namespace' | undefined {
    if (isLooser(value, ofNamespace)) return 'object'
    return isLooser(value, configured) ? 'namespace' : undefined
  }
}
