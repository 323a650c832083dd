/**
 * Reads one YAML document into parser events with source positions, as leniently as kubectl's parser.
 *
 * kubectl's parser (libyaml's rules) accepts quoted texts and flow collections with less indentation than YAML 1.2
 * requires. js-yaml refuses them and reports the position. A few spaces at that position do not change the meaning, so
 * the text is read again with them, and positions are reported without them.
 */
import { EVENT_ID, parseEvents, YAMLException, type Event } from 'js-yaml'

export interface YamlEvents {
  readonly events: readonly Event[]
  /** The text that the events' positions refer to. */
  readonly source: string
  /** Returns the position in the original text. */
  readonly given: (position: number) => number
}

/** A problem in a text; `offset` counts from the start of the document's text. */
export class YamlError extends Error {
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(problem)
    this.offset = offset
  }
}

interface Insertion {
  /** The position of the inserted spaces in the modified text. */
  readonly at: number
}

const PADDING = ' '.repeat(200)
const MOST_INSERTIONS = 200

/**
 * Throws YamlError. Each of `mostInsertions` reads the text once more; use 0 for texts whose author may make them long.
 */
export function readEvents(text: string, mostInsertions = MOST_INSERTIONS): YamlEvents {
  const insertions: Insertion[] = []
  let source = withinEnd(text)
  const given = (position: number) => givenPosition(position, insertions)
  for (;;) {
    try {
      const events = firstDocument(parseEvents(source, { maxDepth: 200 }))
      return { events, source, given }
    } catch (error) {
      const { reason, position } = problemOf(error)
      if (reason !== 'deficient indentation' || insertions.length === mostInsertions)
        throw new YamlError(reason, Math.min(given(position), text.length))
      source = source.slice(0, position) + PADDING + source.slice(position)
      insertions.push({ at: position })
      insertions.sort((left, right) => left.at - right.at)
    }
  }
}

/** kubectl does not read what comes after a line of `...`, so a mistake there is none to it. */
function withinEnd(text: string): string {
  const found = /(?:^|\n)\.\.\.(?:[ \t\r][^\n]*)?(?=\n|$)/.exec(text)
  return found === null ? text : text.slice(0, found.index + found[0].length)
}

function problemOf(error: unknown): { readonly reason: string; readonly position: number } {
  if (!(error instanceof YAMLException)) throw error
  return { reason: error.reason, position: error.mark?.position ?? 0 }
}

/** Insertions are in text order, because js-yaml stops at the first problem. */
function givenPosition(position: number, insertions: readonly Insertion[]): number {
  let moved = 0
  for (const { at } of insertions) if (at < position) moved += Math.min(PADDING.length, position - at)
  return position - moved
}

/** kubectl ignores everything after the end of the first document (`...`). */
function firstDocument(events: readonly Event[]): readonly Event[] {
  const second = events.findIndex((event, index) => index > 0 && event.type === EVENT_ID.DOCUMENT)
  return second === -1 ? events : events.slice(0, second)
}
