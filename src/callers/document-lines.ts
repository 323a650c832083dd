/**
 * Finds the log lines in a JSON document of Loki or Grafana as it streams by, because an export may be one line of a
 * gigabyte: `{"data":{"result":[{"stream":{},"values":[["1764213120000000000","LINE"]]}]}}`, or
 * `[{"line":"LINE","timestamp":"..."}]` (https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time).
 */
export interface DocumentLines {
  /** Takes the next piece, and calls `found` for every line that ends in it. */
  add(text: string): void
  /** Whether a string has not ended yet, so that the document is torn. */
  isOpen(): boolean
}

/** Members that hold a line. */
const LINE_MEMBER = /^(?:line|log|message|msg|textPayload|body)$/
const LABELS = /^(?:stream|labels|fields|metric)$/
/** Nanoseconds since 1970, as Loki writes them before each line. */
const NANOSECONDS = /^\d{16,20}$/
/** Characters of one string; more is not a line. */
const LONGEST = 1 << 20

/** Whether a file begins as such a document does, and not as one of JSON lines. */
export function isDocument(beginning: string): boolean {
  const text = beginning.trimStart()
  return (
    /^\[\s*(?:$|[{"[])/.test(text) ||
    /^\{\s*"(?:status|data|streams|result|hits)"\s*:/.test(text) ||
    /^\{\s*\n/.test(text)
  )
}

export function documentLines(found: (line: string) => void): DocumentLines {
  // The string that is being read, as it is written; undefined between strings.
  let open: string | undefined
  let isEscaped = false
  // The string before, and whether a colon followed it: then it is the name of a member.
  let previous = ''
  let isName = false
  // Whether a list began just before the string, and the one before: a pair of a time and a line.
  let isFirst = false
  let wasFirst = false
  // Labels may have any name, `line` too.
  let isInLabels = false

  function close(): void {
    const value = unescape(open ?? '')
    open = undefined
    const isLine = isName ? LINE_MEMBER.test(previous) && !isInLabels : wasFirst && NANOSECONDS.test(previous)
    if (isLine) found(value)
    wasFirst = isFirst
    previous = value.length > 64 ? '' : value
    isName = false
  }

  function readOpen(text: string, from: number): number {
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (isEscaped) isEscaped = false
      else if (code === 92) isEscaped = true
      else if (code === 34) break
    }
    open = `${open ?? ''}${text.slice(from, at)}`.slice(0, LONGEST)
    if (at < text.length) close()
    return at + 1
  }

  return {
    add(text) {
      let at = 0
      while (at < text.length) {
        if (open !== undefined) {
          at = readOpen(text, at)
          continue
        }
        const quote = text.indexOf('"', at)
        const between = quote === -1 ? text.slice(at) : text.slice(at, quote)
        isFirst = /\[\s*$/.test(between)
        if (between.includes(':')) isName = true
        if (between.includes('}')) isInLabels = false
        if (isName && between.includes('{') && LABELS.test(previous)) isInLabels = true
        if (/[[{}]/.test(between)) {
          previous = ''
          isName = false
        }
        if (quote === -1) return
        open = ''
        at = quote + 1
      }
    },
    isOpen: () => open !== undefined,
  }
}

function unescape(written: string): string {
  if (!written.includes('\\')) return written
  try {
    return String(JSON.parse(`"${written}"`))
  } catch {
    return written
  }
}
