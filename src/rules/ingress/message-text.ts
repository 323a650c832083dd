/** Shortens lists and texts. */

export function listed(entries: readonly string[], most: number, separator: string): string {
  if (entries.length <= most) return entries.join(separator)
  return `${entries.slice(0, most).join(separator)} and ${entries.length - most} more`
}

export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 3)}...`
}
