/** A text with its lines, columns and formatting habits. */
import type { FragmentStyle } from './yaml-fragment.ts'
import { trimEnd } from './trim-characters.ts'

export interface Page {
  readonly text: string
  readonly style: FragmentStyle
  readonly lineEnd: string
  /** The indentation of a list's dashes beyond that of its key, as the file writes it. */
  readonly sequenceIndent: string
  readonly shared: ReadonlySet<string>
}

export function block({ lineEnd }: Page, text: string): string {
  return lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd)
}

export function lineStart({ text }: Page, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1
}

/** Returns the start of the next line. A block scalar already includes its line end. */
export function lineAfter({ text }: Pick<Page, 'text'>, position: number): number {
  if (position > 0 && text[position - 1] === '\n') return position
  const end = text.indexOf('\n', position)
  return end === -1 ? text.length : end + 1
}

export function columnOf(page: Page, position: number): number {
  return position - lineStart(page, position) - (page.text.charCodeAt(lineStart(page, position)) === 0xfeff ? 1 : 0)
}

/** Returns the indentation of a block that begins at this column. */
export function indentAt(page: Page, position: number): string {
  return ' '.repeat(columnOf(page, position))
}

export function lineStartSpace(page: Page, position: number): string {
  return page.text.slice(lineStart(page, position), position)
}

export function isAloneInLine(page: Page, position: number): boolean {
  return /^[ \t]*$/.test(lineStartSpace(page, position))
}

export function dashBefore({ text }: Page, position: number): number {
  return text.lastIndexOf('-', position - 1)
}

/** Takes it from the text's first list. */
export function sequenceIndentOf(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => !/^[ \t]*(?:#|$)/.test(line))
  const first = lines.findIndex((line, index) => opensBlock(line) && /^ *- /.test(lines[index + 1] ?? ''))
  if (first === -1) return ''
  const [keySpace = ''] = KEY_SPACE.exec(lines[first] ?? '') ?? []
  const dash = (lines[first + 1] ?? '').indexOf('-')
  return ' '.repeat(Math.max(0, Math.min(4, dash - keySpace.length)))
}

/** Spaces before a plain key, and the dash of the item that it begins. */
const KEY_SPACE = /^ *(?:- )?(?=[^\s#'"-])/

/** Whether a key's value begins on the next line. */
function opensBlock(line: string): boolean {
  return KEY_SPACE.test(line) && (trimEnd(line, ' \t').endsWith(':') || /:[ \t]*#/.test(line))
}

export function isCompact({ text }: Page): boolean {
  return !text.trim().includes('\n')
}

/** Returns the indentation of one level of a JSON text. */
export function jsonStep({ text }: Page): string {
  return /^[{[][ \t]*\r?\n([ \t]+)/.exec(text.trimStart())?.[1] ?? '  '
}

export function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text) && /^\s*[{[]\s*(?:["{}\]]|$)/.test(text)
}

export function lineEndOf(text: string): string {
  const [first] = /\r?\n/.exec(text) ?? ['\n']
  return first
}
