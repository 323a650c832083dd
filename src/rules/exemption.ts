/**
 * Who may loosen a rule for one namespace or one object. Tightening is always open to everyone: it takes nothing from
 * anybody. Values are ordered, the strictest first.
 *
 * | exemptions  | what holds                                                               |
 * |-------------|--------------------------------------------------------------------------|
 * | `object`    | the object's value, else the namespace's, else the configured one        |
 * | `namespace` | the namespace's value, else the configured one; the object may tighten   |
 * | `none`      | the configured value; the namespace and the object may tighten           |
 */
export const EXEMPTION_VALUES = ['object', 'namespace', 'none'] as const

export type Exemptions = (typeof EXEMPTION_VALUES)[number]

export interface Wishes<Value> {
  readonly configured: Value
  /** The namespace's annotation; undefined where it has none, or a bad one. */
  readonly namespace: Value | undefined
  /** The object's own annotation, likewise. */
  readonly object: Value | undefined
}

export interface EffectiveSetting<Value> {
  readonly value: Value
  /** Whose annotation made the setting looser than it would be without; undefined where nobody's did. */
  readonly exemptedBy: 'object' | 'namespace' | undefined
  /** Whose looser annotation does not count, because `exemptions` does not let it. */
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
