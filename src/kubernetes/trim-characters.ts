/**
 * Trims characters from the ends of a text in one pass. `/-+$/` is quadratic: the engine retries it at every dash of a
 * text that does not end in one (docs/decisions/patterns-are-linear.md).
 */

export function trimStart(text: string, characters: string): string {
  let start = 0
  while (start < text.length && characters.includes(text.charAt(start))) start++
  return text.slice(start)
}

export function trimEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

export function trimBoth(text: string, characters: string): string {
  return trimEnd(trimStart(text, characters), characters)
}
