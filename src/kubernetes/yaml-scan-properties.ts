/** Scans anchors, aliases, tags and directives. */
import { YamlError, type YamlCursor } from './yaml-cursor.ts'

/** Reads the name after `&` or `*`. */
export function scanAnchor(cursor: YamlCursor): string {
  const start = cursor.at
  cursor.at++
  const name = take(cursor, WORD)
  if (name === '' || !(cursor.isWordEnd() || '?:,]}%@`'.includes(cursor.text.charAt(cursor.at))))
    throw new YamlError('the name of an anchor or alias has only letters, digits, _ and -', start)
  return name
}

export interface Tag {
  /** `!`, `!!` or `!name!`; empty for a tag that is written in full. */
  readonly handle: string
  readonly suffix: string
}

/** Reads `!suffix`, `!!suffix`, `!name!suffix`, `!<whole>` or `!`. */
export function scanTag(cursor: YamlCursor): Tag {
  const start = cursor.at
  const tag = cursor.text[start + 1] === '<' ? scanWholeTag(cursor) : scanShortTag(cursor)
  if (!cursor.isWordEnd()) throw new YamlError('a space is expected after a tag', start)
  return tag
}

function scanWholeTag(cursor: YamlCursor): Tag {
  const start = cursor.at
  cursor.at += 2
  const suffix = scanUri(cursor)
  if (suffix === '' || cursor.text[cursor.at] !== '>') throw new YamlError('a tag !<...> does not end', start)
  cursor.at++
  return { handle: '', suffix }
}

function scanShortTag(cursor: YamlCursor): Tag {
  const start = cursor.at
  const handle = take(cursor, HANDLE)
  const suffix = scanUri(cursor)
  if (handle.length > 1) {
    if (suffix === '') throw new YamlError(`a name is expected after ${handle}`, start)
    return { handle, suffix }
  }
  return suffix === '' ? { handle: '', suffix: '!' } : { handle: '!', suffix }
}

function scanUri(cursor: YamlCursor): string {
  const start = cursor.at
  const text = take(cursor, URI)
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    throw new YamlError('% in a tag must begin an escape such as %20', start)
  }
}

const WORD = /[0-9A-Za-z_-]*/y
const HANDLE = /!(?:[0-9A-Za-z_-]*!)?/y
const URI = /[0-9A-Za-z_;/?:@&=+$,.!~*'()[\]%-]*/y

function take(cursor: YamlCursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += found.length
  return found
}

export interface Directive {
  readonly name: 'YAML' | 'TAG'
  /** Of %TAG. */
  readonly handle: string
  readonly prefix: string
}

/** Reads a line that begins with `%`. */
export function scanDirective(cursor: YamlCursor): Directive {
  const start = cursor.at
  const line = take(cursor, DIRECTIVE_LINE)
  const tag = /^%TAG[ \t]+(!(?:[0-9A-Za-z_-]*!)?)[ \t]+([^ \t]+)(?:[ \t]+(?:#.*)?)?$/.exec(line)
  if (tag !== null) return { name: 'TAG', handle: tag[1] ?? '', prefix: tag[2] ?? '' }
  if (!/^%YAML[ \t]+1\.[12][ \t]*(?:#.*)?$/.test(line))
    throw new YamlError('of the % directives, only %YAML 1.1, %YAML 1.2 and %TAG are known', start)
  return { name: 'YAML', handle: '', prefix: '' }
}

const DIRECTIVE_LINE = /[^\n\r\u0085\u2028\u2029]*/y
