/** How a path matches. */

/**
 * | kind     | value   | a path matches when                                     |
 * |----------|---------|---------------------------------------------------------|
 * | exact    | `/foo`  | it is the value                                         |
 * | elements | `/foo`  | it is the value, or continues it with `/`; `/` is all   |
 * | prefix   | `/foo`  | it starts with the value, also in the middle of a word  |
 * | regex    | `/f.*`  | RE2 matches all of it                                   |
 *
 * The query string is ignored.
 */
export interface PathMatch {
  readonly kind: 'exact' | 'elements' | 'prefix' | 'regex'
  readonly value: string
}
