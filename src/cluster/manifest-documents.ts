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
  /** The file's line on which `text` begins, counted from 1. */
  readonly line: number
  /** Set if kubectl refuses the separator because the line has more than `---` and a comment. */
  readonly problem?: string
}

/** Yields the documents one at a time. Separators and texts, concatenated, equal the file. */
export function* splitDocuments(text: string): Generator<DocumentText> {
  const json = /^\ufeff?\s*\{/.test(text) ? splitJson(text) : undefined
  if (json !== undefined) yield* json
  else yield* splitYaml(text)
}

function* splitYaml(text: string): Generator<DocumentText> {
  let separator = ''
  let line = 1
  let start = 0
  for (const found of text.matchAll(/^---.*(?:\r?\n|$)/gm)) {
    const body = text.slice(start, found.index)
    if (!isLineStart(text, found.index) || isDirective(body)) continue
    if (separator !== '' || body !== '') yield yamlDocument(separator, body, line)
    separator = found[0]
    line += countLines(body) + countLines(separator)
    start = found.index + separator.length
  }
  if (separator !== '' || start < text.length) yield yamlDocument(separator, text.slice(start), line)
}

function yamlDocument(separator: string, text: string, line: number): DocumentText {
  const problem = problemOf(separator)
  return { separator, text, isJson: false, line, ...(problem === undefined ? {} : { problem }) }
}

/** `^` also matches after line ends that kubectl does not recognise. */
function isLineStart(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === '\n'
}

function problemOf(separator: string): string | undefined {
  const rest = separator.slice(3).trim()
  return rest === '' || rest.startsWith('#') ? undefined : `kubectl refuses text after --- on the same line: ${rest}`
}

/** `%YAML 1.1` belongs to the document after the next separator. */
function isDirective(body: string): boolean {
  return /^\ufeff?%/m.test(body) && /^\ufeff?(?:(?:[#%][^\n]*|[ \t\r]*)\n)*$/.test(body)
}

function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** Returns undefined if the text is not a sequence of JSON objects: it is YAML in flow style. */
function splitJson(text: string): readonly DocumentText[] | undefined {
  const ends: number[] = []
  for (let position = text.indexOf('{'); position !== -1;) {
    const end = endOfObject(text, position)
    if (end === undefined || !isJson(text.slice(position, end))) return undefined
    ends.push(end)
    const next = /\S/.exec(text.slice(end))
    if (next === null) break
    position = end + next.index
    if (text[position] !== '{') return undefined
  }
  let line = 1
  return ends.map((end, index) => {
    const part = text.slice(ends[index - 1] ?? 0, index === ends.length - 1 ? text.length : end)
    const document = { separator: '', text: part, isJson: true, line }
    line += countLines(part)
    return document
  })
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
