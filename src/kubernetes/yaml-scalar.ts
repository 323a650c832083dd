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
/** Without digits before the point, Go takes underscores only between digits. */
const FRACTION = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/
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
  if (text.startsWith('.')) return FRACTION.test(text) ? finite(text.replaceAll('_', ''), text) : text
  if (!/^[-+0-9]/.test(text)) return text
  const plain = text.replaceAll('_', '')
  return integerOf(plain) ?? (FLOAT.test(plain) ? finite(plain, text) : text)
}

export function isNotFinite(text: string): boolean {
  return NOT_FINITE.test(text)
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

const TAG = 'tag:yaml.org,2002:'
const RESOLVED_TAGS = new Set(['bool', 'int', 'float', 'null', 'timestamp'].map((name) => TAG + name))

/** Resolves a scalar with a tag. Throws RangeError for a text that is not what its tag says. */
export function resolveTagged(tag: string, text: string): YamlScalar {
  if (tag === `${TAG}binary`) return decodeBase64(text)
  if (!RESOLVED_TAGS.has(tag)) return text
  const value = resolvePlain(text)
  const found = typeNames(value, text)
  if (!found.includes(tag.slice(TAG.length)))
    throw new RangeError(`${text === '' ? 'nothing' : text} is no !!${tag.slice(TAG.length)}`)
  return value
}

/** An integer within 64 bits may be tagged as a float. */
function typeNames(value: YamlScalar, text: string): readonly string[] {
  if (value === null) return ['null']
  if (typeof value === 'boolean') return ['bool']
  if (typeof value === 'string') return isTimestamp(text) ? ['timestamp'] : []
  if (typeof value === 'bigint') return value < 2n ** 63n ? ['int', 'float'] : ['int']
  return isInteger(value, text) ? ['int', 'float'] : ['float']
}

/** Integers beyond 64 bits are floats. */
function isInteger(value: number, text: string): boolean {
  return Number.isSafeInteger(value) && INTEGER.test(text.replaceAll('_', ''))
}

const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt](?<zoned>\d\d?:\d\d?:\d\d?(?:[.,]\d+)?)(?:Z|[-+]\d\d:\d\d))| (?<local>\d\d?:\d\d?:\d\d?(?:[.,]\d+)?))?$/

function isTimestamp(text: string): boolean {
  const found = TIMESTAMP.exec(text)
  if (found === null) return false
  const [, year, month, day] = found.map(Number)
  const [hour = 0, minute = 0, second = 0] = (found.groups?.['zoned'] ?? found.groups?.['local'] ?? '0:0:0')
    .split(':')
    .map((part) => Math.floor(Number(part.replace(',', '.'))))
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day))
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
}

/** Decodes `!!binary` as go-yaml does, treating the bytes as UTF-8. */
function decodeBase64(text: string): string {
  const packed = text.replaceAll(/[\r\n]/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed))
    throw new RangeError('a !!binary value must be base64')
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)),
  )
}

/**
 * Returns the name that a key gets in JSON. A float is written as one of 32 bits
 * (https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go, convertToJSONableObject). Throws RangeError for a key
 * that kubectl refuses.
 */
export function keyText(key: YamlScalar, text: string): string {
  if (key === null) throw new RangeError('a key is null, which kubectl refuses')
  if (typeof key === 'bigint' && key >= 2n ** 63n) throw new RangeError(`${key} is too large for a key`)
  return typeof key === 'number' && !isInteger(key, text) ? floatKey(key) : String(key)
}

/** Formats a float as Go's shortest `%g`. */
function floatKey(key: number): string {
  const rounded = Math.fround(key)
  if (!Number.isFinite(rounded)) return rounded < 0 ? '-.inf' : '.inf'
  const precision = [1, 2, 3, 4, 5, 6, 7, 8, 9].find(
    (digits) => Math.fround(Number(key.toPrecision(digits))) === rounded,
  )
  const [mantissa = '', exponent = '0'] = key.toExponential((precision ?? 9) - 1).split('e')
  const power = Number(exponent)
  const sign = Object.is(rounded, -0) ? '-' : ''
  if (power >= -4 && power < 6) return sign + String(Number(`${mantissa}e${exponent}`))
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
