/** Duplicate keys of objects in a JSON text. JSON.parse silently uses the last one, as kubectl does. */
import type { DuplicateKey } from './yaml-value.ts'

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[[\]{}]/g

/** Returns them in text order. JSON.parse must accept the text. */
export function duplicateKeys(text: string): readonly DuplicateKey[] {
  const duplicates: DuplicateKey[] = []
  const open: Set<string>[] = []
  for (const { 0: token, 1: colon, index } of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string
      const keys = open.at(-1)
      if (keys?.has(key) === true) duplicates.push({ key, offset: index })
      keys?.add(key)
    }
  }
  return duplicates
}
