/**
 * Objects as the YAML that people copy: lines are not folded, and what stands twice is written twice. It is read by
 * sigs.k8s.io/yaml, which knows YAML 1.1: `yes` is a boolean there, and U+0085, U+2028 and U+2029 end a line.
 */
import { Document, visit } from 'yaml'
import type { JsonObject } from './json.ts'

/** Texts that the printer, which knows YAML 1.2, leaves without quotes, and what Go's YAML would make of them. */
const AMBIGUOUS: readonly RegExp[] = [
  /^(?:y|n|yes|no|on|off)$/i, // booleans
  /^[-+]?0[xob][\da-f_]+$/i, // hexadecimal, octal, binary
  /^[-+.\d][-+.\de_]*_[-+.\de_]*$/i, // 1_000
  /^[-+.\d]*e[-+]?\d+$/i, // e1 and .e1 to some
  /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/, // 1:20, to the base of sixty
  /^\d{4}-\d\d?-\d\d?(?:[Tt \t].*)?$/, // times
  /^(?:<<|=)$/, // merge key, default value
  /^\s+$/, // blank lines: the printer itself loses some
]
/** Left as they are by the printer; Go's YAML refuses them, or takes them for the end of a line. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/gu

/** Ends with a line break. */
export function toYaml(object: JsonObject): string {
  const document = new Document(object, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      if (needsQuotes(node.value)) node.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ lineWidth: 0 }).replaceAll(UNPRINTABLE, escaped)
}

/** What is escaped has to stand in double quotes: nothing else knows escapes. */
function needsQuotes(value: unknown): boolean {
  return (
    typeof value === 'string' && (AMBIGUOUS.some((pattern) => pattern.test(value)) || value.search(UNPRINTABLE) >= 0)
  )
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A text that stays in its line: behind a line break it would leave a comment, or be dropped as a warning. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
