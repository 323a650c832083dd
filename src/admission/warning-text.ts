/**
 * Warnings as the API server lets them through (docs/facts/admission-requests.md#warnings): one that holds a control
 * character is silently dropped, and beyond 4,096 characters in total each is cut to 256.
 */
import { codeAtEnd } from '../rules/reasons.ts'

const MOST = 5
const LONGEST = 256

/** At most five single lines of at most 256 characters; what is left out is counted. */
export function singleLines(warnings: readonly string[]): readonly string[] {
  const lines = [...new Set(warnings.map(toLine))]
  if (lines.length <= MOST) return lines
  return [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more warnings, shown by istio-onramp preview`]
}

/** C0, DEL and C1 control characters become spaces; the code at the end survives the cut. */
function toLine(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  if (line.length <= LONGEST) return line
  const code = codeAtEnd(line)
  return `${line.slice(0, LONGEST - code.length - 3)}...${code}`
}
