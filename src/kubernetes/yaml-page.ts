/** A text as its reader sees it: lines, columns, and the habits of whoever wrote it. */
import type { FragmentStyle } from './yaml-fragment.ts'

export interface Page {
  readonly text: string
  readonly style: FragmentStyle
  readonly lineEnd: string
  readonly shared: ReadonlySet<string>
}

export function block({ lineEnd }: Page, text: string): string {
  return lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd)
}

export function lineStart({ text }: Page, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1
}

/** The start of the next line; a block scalar ends with its line already. */
export function lineAfter({ text }: Page, position: number): number {
  if (position > 0 && text[position - 1] === '\n') return position
  const end = text.indexOf('\n', position)
  return end === -1 ? text.length : end + 1
}

export function columnOf(page: Page, position: number): number {
  return position - lineStart(page, position) - (page.text.charCodeAt(lineStart(page, position)) === 0xfeff ? 1 : 0)
}

/** The white space under which lines of a block go on that begins at this column. */
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

/** What the file puts before the dashes of a list, beyond the indentation of its key. */
export function sequenceIndent(page: Page): string {
  const found = /^( *)(?:- )?([^\s#'"-][^\n]*:)[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)- /m.exec(
    page.text,
  )
  if (found === null) return ''
  const [whole, before = '', , dashes = ''] = found
  const keyColumn = before.length + (whole.startsWith(`${before}- `) ? 2 : 0)
  return ' '.repeat(Math.max(0, Math.min(4, dashes.length - keyColumn)))
}

export function isCompact({ text }: Page): boolean {
  return !text.trim().includes('\n')
}

/** The white space of one level of a JSON text. */
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
