/**
 * Scalars as kubectl reads them: sigs.k8s.io/yaml, which is go.yaml.in/yaml/v2, follows YAML 1.1
 * (https://github.com/yaml/go-yaml/blob/v2/resolve.go). `yes` is a boolean, `0644` is 420, `1_000` is a number, and
 * times remain text.
 */
export type YamlScalar = string | number | boolean | null | bigint

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
])
const NOT_FINITE = /^(?:\.nan|\.NaN|\.NAN|[-+]?\.(?:inf|Inf|INF))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))$/
const FIRST = /^[-+.0-9yYnNtTfFoO~]/
const INT64 = { least: -(2n ** 63n), most: 2n ** 64n - 1n }

/**
 * Returns a bigint for integers that a number cannot represent exactly. Throws RangeError for values that JSON cannot
 * represent.
 */
export function resolvePlain(text: string): YamlScalar {
  if (text !== '' && !FIRST.test(text)) return text
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (NOT_FINITE.test(text)) throw new RangeError(`${text} has no form in JSON`)
  if (text.startsWith('.')) return FLOAT.test(text) ? finite(text, text) : text
  if (!/^[-+0-9]/.test(text)) return text
  const plain = text.replaceAll('_', '')
  return integerOf(plain) ?? (FLOAT.test(plain) ? finite(plain, text) : text)
}

/** A text with an out-of-range exponent remains text. */
function finite(plain: string, text: string): number | string {
  const number = Number(plain)
  return Number.isFinite(number) ? number : text
}

function integerOf(plain: string): number | bigint | undefined {
  const found = INTEGER.exec(plain)
  if (found === null) return undefined
  const [, sign, hexadecimal, octal, binary, decimal] = found
  const [digits, base] = hexadecimal
    ? [hexadecimal, 16]
    : octal
      ? [octal, 8]
      : binary
        ? [binary, 2]
        : [decimal ?? '0', 10]
  const number = Number.parseInt(digits, base) * (sign === '-' ? -1 : 1)
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number
  const prefix = { 16: '0x', 8: '0o', 2: '0b', 10: '' }[base] ?? ''
  const exact = BigInt(`${prefix}${digits}`) * (sign === '-' ? -1n : 1n)
  return exact >= INT64.least && exact <= INT64.most ? exact : undefined
}
