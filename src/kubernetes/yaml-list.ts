/**
 * The items of a List in block style, as `kubectl get -o yaml` prints it, as parts of the text. Each part is a sequence of
 * one item that is read and edited alone: nodes of a whole List take thirty times the memory of its text.
 */

export interface ListItems {
  /** Where each item begins, in order. */
  readonly starts: readonly number[]
  /** Where the last item ends. */
  readonly end: number
}

/**
 * Returns the items of the root's member `items`; undefined for flow style, for a text with anchors or aliases (an item
 * may share them with another), and for anything that does not look like block style. Content of block scalars and
 * continuations of plain scalars is indented deeper than the items; only a quoted scalar can contain a line that looks
 * like an item, and then its part does not parse alone.
 */
export function blockItems(text: string): ListItems | undefined {
  const key = ITEMS.exec(text)
  if (key === null || SHARED.test(text)) return undefined
  const starts: number[] = []
  let indent: number | undefined
  for (let at = key.index + key[0].length; at < text.length; at = nextLine(text, at)) {
    const column = columnOf(text, at)
    const first = text[at + column]
    if (first === undefined || '#\r\n'.includes(first)) continue
    indent ??= column
    if (column > indent) continue
    if (column < indent || !isItem(text, at + column)) return starts.length === 0 ? undefined : { starts, end: at }
    starts.push(at)
  }
  return starts.length === 0 ? undefined : { starts, end: text.length }
}

const ITEMS = /^items:[ \t]*(?:#.*)?\r?\n/m

/** An anchor or an alias. Also matches text that only looks like one, which costs no more than time. */
const SHARED = /(?:^|[\s,[{])[&*][^\s&*]/

function nextLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end + 1
}

function columnOf(text: string, lineStart: number): number {
  let column = 0
  while (text[lineStart + column] === ' ') column++
  return column
}

function isItem(text: string, at: number): boolean {
  return text[at] === '-' && /^[ \r\n]/.test(text[at + 1] ?? '\n')
}

/** Returns the text of one item, from its dash to the next. */
export function itemText(text: string, { starts, end }: ListItems, index: number): string {
  return text.slice(starts[index], starts[index + 1] ?? end)
}
