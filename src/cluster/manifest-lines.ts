/** Lines of a document within its file. */
import type { DocumentText } from './manifest-documents.ts'

/** Returns the start of the document's content, after comments, directives and blank lines. */
export function contentStart(text: string): number {
  const found = /^\ufeff?(?:[ \t]*(?:[#%][^\n]*|---[^\n]*)?(?:\r?\n|$))*[ \t]*/.exec(text)
  return found?.[0].length ?? 0
}

export function lineAt({ text, line }: DocumentText, offset: number): number {
  if (offset < 0) return line - 1
  let count = line
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** As `lineAt`. Offsets that ascend, as those of a List's items, cost one pass over the text in all. */
export function linesInOrder(part: DocumentText): (offset: number) => number {
  let { line } = part
  let passed = 0
  let lineEnd = part.text.indexOf('\n')
  return (offset) => {
    if (offset < passed) return lineAt(part, offset)
    passed = offset
    while (lineEnd !== -1 && lineEnd < offset) {
      line++
      lineEnd = part.text.indexOf('\n', lineEnd + 1)
    }
    return line
  }
}
