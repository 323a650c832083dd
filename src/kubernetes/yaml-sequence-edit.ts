/** Edits the items of a list in its text. */
import type { Json } from './json.ts'
import { itemText } from './yaml-fragment.ts'
import type { SequenceNode } from './yaml-nodes.ts'
import { block, columnOf, dashBefore, isAloneInLine, isCompact, lineStartSpace, type Page } from './yaml-page.ts'
import {
  appendFlow,
  emptied,
  insertLines,
  prettyFlow,
  removeParts,
  touchesShared,
  type Change,
  type NotEditable,
  type TextEdit,
} from './yaml-parts.ts'

export function editSequence(
  page: Page,
  list: SequenceNode,
  changes: readonly Change[],
): readonly TextEdit[] | NotEditable {
  const gone = new Set<number>()
  const appended: Json[] = []
  const first: Json[] = []
  for (const { operation, key } of changes) {
    if (operation.op === 'remove') gone.add(Number(key))
    else if (operation.op === 'replace') return { problem: `/${key} of a list is replaced` }
    else if (key === '-' || Number(key) === list.items.length) appended.push(operation.value)
    else if (key === '0') first.push(operation.value)
    else return { problem: `an entry in the middle of a list` }
  }
  for (const index of gone) {
    const anchor = list.items[index] && touchesShared(list.items[index], page.shared)
    if (anchor !== undefined) return { problem: `anchor &${anchor}` }
  }
  if (gone.size > 0 && gone.size === list.items.length) return [emptied(page, list, '[]')]
  const parts = list.items.map((item) => ({
    start: list.isFlow ? item.start : dashBefore(page, item.start),
    end: item.end,
  }))
  return [
    ...removeParts(page, list, parts, gone),
    ...prependItems(page, list, first),
    ...appendItems(page, list, appended),
  ]
}

function appendItems(page: Page, list: SequenceNode, values: readonly Json[]): readonly TextEdit[] {
  if (values.length === 0) return []
  const last = list.items.at(-1)
  if (list.isFlow) {
    const at = last?.start ?? list.start
    return [
      appendFlow(
        page,
        list,
        last?.end,
        at,
        values.map((value) => prettyFlow(page, value, at)),
      ),
    ]
  }
  if (last === undefined) return []
  const indent = ' '.repeat(columnOf(page, dashBefore(page, list.items[0]?.start ?? last.start)))
  const lines = values.map((value) => indent + itemText(value, indent, page.sequenceIndent))
  return [insertLines(page, last, lines)]
}

function prependItems(page: Page, list: SequenceNode, values: readonly Json[]): readonly TextEdit[] {
  const [first] = list.items
  if (values.length === 0) return []
  if (first === undefined) return appendItems(page, list, values)
  if (list.isFlow) {
    const separator = isAloneInLine(page, first.start)
      ? `,${page.lineEnd}${lineStartSpace(page, first.start)}`
      : page.style === 'json' && isCompact(page)
        ? ','
        : ', '
    const text = values.map((value) => prettyFlow(page, value, first.start) + separator).join('')
    return [{ start: first.start, end: first.start, text }]
  }
  const at = dashBefore(page, first.start)
  const indent = ' '.repeat(columnOf(page, at))
  const text = values
    .map((value) => block(page, itemText(value, indent, page.sequenceIndent)) + page.lineEnd + indent)
    .join('')
  return [{ start: at, end: at, text }]
}
