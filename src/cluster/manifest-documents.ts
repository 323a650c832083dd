/**
 * Splits a file into documents exactly as kubectl does, before parsing: at lines that begin with `---`, or, if the text
 * begins with a brace, into JSON values
 * (https://github.com/kubernetes/apimachinery/blob/v0.37.2/pkg/util/yaml/decoder.go, YAMLReader and YAMLOrJSONDecoder).
 */
import { parseJson } from '../kubernetes/json.ts'
import { endOfString } from './json-items.ts'

export interface DocumentText {
  /** The separator line before the document, including its line end; empty for the first one. */
  readonly separator: string
  readonly text: string
  readonly isJson: boolean
  /**
   * Whether kubectl's parser reads the separator with the text: it is the first line of the file, or follows another
   * separator. All others only split.
   */
  readonly isMarked: boolean
  /** The file's line on which `text` begins, counted from 1. */
  readonly line: number
  /** Set if kubectl refuses the separator because the line has more than `---` and a comment. */
  readonly problem?: string
}

/**
 * Yields the documents one at a time. Separators and texts, concatenated, equal the text, whose first line is
 * `firstLine` of its file. A text from within a file begins with a separator.
 */
export function* splitDocuments(text: string, firstLine = 1): Generator<DocumentText> {
  const isBraced = BRACED.test(text)
  const json = isBraced ? splitJson(text) : []
  yield* json
  const start = json.reduce((sum, { text: { length } }) => sum + length, 0)
  const line = firstLine + json.reduce((sum, document) => sum + countLines(document.text), 0)
  const rest = text.slice(start)
  if (json.length > 1 && rest !== '')
    yield { ...yamlDocument('', rest, line, false), problem: 'after JSON, kubectl reads only JSON' }
  else
    yield* splitYaml(rest, {
      line,
      isWithinFile: firstLine > 1,
      space: isBraced && json.length === 0 ? spaceOf(text) : '',
    })
}

/** Space as Go has it (unicode.IsSpace), which does not include a byte order mark. */
const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const BRACED = new RegExp(`^${SPACE}*\\{`)
/** Having tried JSON, kubectl drops the space before a brace, up to the first line break. */
const SPACE_BEFORE_BRACE = new RegExp(`^(?:(?!\\n)${SPACE})*\\n?`)

function spaceOf(text: string): string {
  return SPACE_BEFORE_BRACE.exec(text)?.[0] ?? ''
}

interface YamlStart {
  readonly line: number
  /** Whether another document ends before the text, so that its first separator only separates. */
  readonly isWithinFile: boolean
  /** Space at the beginning of the text, and no part of the first document. */
  readonly space: string
}

function* splitYaml(text: string, { line: firstLine, isWithinFile, space }: YamlStart): Generator<DocumentText> {
  let separator = space
  let line = firstLine + countLines(space)
  let start = space.length
  let isMarked = isWithinFile
  for (const found of text.matchAll(/^---[^\n]*(?:\n|$)/gm)) {
    const body = text.slice(start, found.index)
    if (!isLineStart(text, found.index) || isDirective(body)) continue
    if (separator !== '' || body !== '') yield yamlDocument(separator, body, line, isMarked)
    isMarked = body === '' && !isMarked
    separator = found[0]
    line += countLines(body) + countLines(separator)
    start = found.index + separator.length
  }
  if (separator !== '' || start < text.length) yield yamlDocument(separator, text.slice(start), line, isMarked)
}

/** A separator that the parser reads, and reads as more than a mark and a comment, belongs to the text. */
function yamlDocument(separator: string, text: string, line: number, isMarked: boolean): DocumentText {
  const problem = problemOf(separator)
  const common = { isJson: false, ...(problem === undefined ? {} : { problem }) }
  if (isMarked && problem === undefined && !(MARK.test(separator) && text[0] !== '\ufeff'))
    return { ...common, separator: '', text: separator + text, isMarked: false, line: line - countLines(separator) }
  return { ...common, separator, text, isMarked, line }
}

const MARK = /^---(?:[ \t]*|[ \t]+#[^\p{Cc}\u2028\u2029]*)\r?\n?$/u

/** `^` also matches after line ends that kubectl does not recognise. */
function isLineStart(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === '\n'
}

function problemOf(separator: string): string | undefined {
  if (!separator.startsWith('---') || SEPARATOR.test(separator)) return undefined
  return `kubectl refuses text after --- on the same line: ${separator.slice(3).trim()}`
}

const SEPARATOR = new RegExp(`^---${SPACE}*(?:#|$)`)

/** `%YAML 1.1` belongs to the document after the next separator. */
function isDirective(body: string): boolean {
  return /^\ufeff?%/m.test(body) && /^\ufeff?(?:(?:[#%][^\n]*|[ \t\r]*)\n)*$/.test(body)
}

function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** Returns the JSON objects with which the text begins, each with the space after it. What follows them is YAML. */
function splitJson(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = []
  let line = 1
  let start = 0
  for (let position = text.indexOf('{'); text[position] === '{';) {
    const end = endOfObject(text, position)
    if (end === undefined || !isJson(text.slice(position, end))) break
    position = nextWord(text, end)
    const part = text.slice(start, position === text.length ? position : lineEnd(text, end, position))
    documents.push({ separator: '', text: part, isJson: true, isMarked: false, line })
    line += countLines(part)
    start += part.length
  }
  return documents
}

function nextWord(text: string, from: number): number {
  NOT_SPACE.lastIndex = from
  return NOT_SPACE.exec(text)?.index ?? text.length
}

const NOT_SPACE = /\S/g

/** Returns the start of the next line; `most` if no line ends before it. */
function lineEnd(text: string, from: number, most: number): number {
  const found = text.indexOf('\n', from)
  return found === -1 || found >= most ? most : found + 1
}

function endOfObject(text: string, start: number): number | undefined {
  const token = /["{}]/g
  token.lastIndex = start
  let depth = 0
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '"') {
      const end = endOfString(text, found.index)
      if (end === undefined) return undefined
      token.lastIndex = end
    } else {
      depth += found[0] === '{' ? 1 : -1
      if (depth === 0) return found.index + 1
    }
  }
  return undefined
}

function isJson(text: string): boolean {
  return parseJson(text) !== undefined
}
