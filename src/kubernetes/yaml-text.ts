/**
 * Formats objects as YAML that people can copy: without folded lines and without anchors. sigs.k8s.io/yaml reads it,
 * which follows YAML 1.1: `yes` is a boolean, and U+0085, U+2028 and U+2029 end a line.
 */
import { Document, visit } from 'yaml'
import type { JsonObject } from './json.ts'
import { printBlocks } from './yaml-block.ts'

/** Texts that the printer, which follows YAML 1.2, leaves unquoted, and how Go's YAML reads them. */
const AMBIGUOUS: readonly RegExp[] = [
  /^(?:y|n|yes|no|on|off)$/i, // booleans
  /^[-+]?0[xob][\da-f_]+$/i, // hexadecimal, octal, binary
  /^[-+.\d][-+.\de]*_[-+.\de_]*$/i, // 1_000
  /^[-+.\d]*e[-+]?\d+$/i, // e1 and .e1 to some
  /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/, // 1:20, to the base of sixty
  /^\d{4}-\d\d?-\d\d?(?:[Tt \t].*)?$/, // times
  /^(?:<<|=)$/, // merge key, default value
  /^(?:---|\.\.\.)/, // marks of documents: the printer writes a block that is not indented
  /^\s+$/, // blank lines: the printer itself loses some
]
/** The printer leaves these unchanged; Go's YAML refuses them, or reads them as line ends. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/gu

/** Returns YAML that ends with a line break. */
export function toYaml(object: JsonObject): string {
  return printBlocks(object, (text) => printWhole(text).trimEnd()) ?? printWhole(object)
}

function printWhole(value: JsonObject | string): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      if (needsQuotes(node.value)) node.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ lineWidth: 0 }).replaceAll(UNPRINTABLE, escaped)
}

/** Escapes only work in double quotes. */
function needsQuotes(value: unknown): boolean {
  return (
    typeof value === 'string' && (AMBIGUOUS.some((pattern) => pattern.test(value)) || value.search(UNPRINTABLE) >= 0)
  )
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Keeps a text on one line: after a line break it would end a comment, or be dropped as a warning. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
