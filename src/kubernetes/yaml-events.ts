/**
 * One YAML document as parser events with source positions, read as leniently as kubectl's parser reads it.
 *
 * kubectl's parser (libyaml's rules) takes quoted texts and flow collections whose lines are indented less than YAML 1.2
 * asks for. js-yaml refuses them and says where; a few spaces at that place change nothing of what the text means, so the
 * text is read again with them, and positions are counted without them.
 */
import { EVENT_ID, parseEvents, YAMLException, type Event } from 'js-yaml'

export interface YamlEvents {
  readonly events: readonly Event[]
  /** The text that the events' positions belong to. */
  readonly source: string
  /** The position in the text as it was given. */
  readonly given: (position: number) => number
}

/** What is wrong with a text, and where: `offset` counts from the start of the document's text. */
export class YamlError extends Error {
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(problem)
    this.offset = offset
  }
}

interface Insertion {
  /** Where the spaces begin, in the text as it is read. */
  readonly at: number
}

const PADDING = ' '.repeat(200)
const MOST_INSERTIONS = 200

/** Throws YamlError. */
export function readEvents(text: string): YamlEvents {
  const insertions: Insertion[] = []
  let source = text
  const given = (position: number) => givenPosition(position, insertions)
  for (;;) {
    try {
      const events = firstDocument(parseEvents(source, { maxDepth: 200 }))
      return { events, source, given }
    } catch (error) {
      const { reason, position } = problemOf(error)
      if (reason !== 'deficient indentation' || insertions.length === MOST_INSERTIONS)
        throw new YamlError(reason, Math.min(given(position), text.length))
      source = source.slice(0, position) + PADDING + source.slice(position)
      insertions.push({ at: position })
      insertions.sort((left, right) => left.at - right.at)
    }
  }
}

function problemOf(error: unknown): { readonly reason: string; readonly position: number } {
  if (!(error instanceof YAMLException)) throw error
  return { reason: error.reason, position: error.mark?.position ?? 0 }
}

/** Insertions are made from the front to the back of the text: js-yaml stops at the first place. */
function givenPosition(position: number, insertions: readonly Insertion[]): number {
  let moved = 0
  for (const { at } of insertions) if (at < position) moved += Math.min(PADDING.length, position - at)
  return position - moved
}

/** kubectl reads nothing behind the end of the first document (`...`). */
function firstDocument(events: readonly Event[]): readonly Event[] {
  const second = events.findIndex((event, index) => index > 0 && event.type === EVENT_ID.DOCUMENT)
  return second === -1 ? events : events.slice(0, second)
}
