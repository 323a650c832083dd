/**
 * Formats warnings so that the API server passes them on (docs/facts/admission-requests.md#warnings): it silently drops
 * a warning with a control character, and truncates each to 256 characters if they exceed 4,096 in total.
 */
import { codeAtEnd } from '../rules/reasons.ts'

const MOST = 5
const LONGEST = 256

/** Returns at most five single lines of at most 256 characters, with a count of the rest. */
export function singleLines(warnings: readonly string[]): readonly string[] {
  const lines = [...new Set(warnings.map(toLine))]
  if (lines.length <= MOST) return lines
  return [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more warnings, shown by istio-onramp preview`]
}

/** Replaces C0, DEL and C1 control characters by spaces. The code at the end survives truncation. */
function toLine(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  if (line.length <= LONGEST) return line
  const code = codeAtEnd(line)
  return `${line.slice(0, LONGEST - code.length - 3)}...${code}`
}
