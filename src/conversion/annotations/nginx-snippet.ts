/** ingress-nginx: what can be saved of a `configuration-snippet` (spec/ingress.md 2.4, row 23); the rest is quoted. */
import type { Effect } from './annotation-entry.ts'

/** One directive a statement, with the header's name and its literal value. */
const DIRECTIVES: readonly (readonly ['request' | 'response', RegExp])[] = [
  ['response', /^more_set_headers\s+["']([\w-]+):\s*([^"'$]*)["']$/],
  ['response', /^add_header\s+["']?([\w-]+)["']?\s+["']?([^"'$]*?)["']?(?:\s+always)?$/],
  ['request', /^proxy_set_header\s+["']?([\w-]+)["']?\s+["']?([^"'$]*?)["']?$/],
]

export function readSnippet(value: string): Effect {
  const headers = { request: {} as Record<string, string>, response: {} as Record<string, string> }
  const lost: string[] = []
  for (const statement of statementsOf(value)) {
    const found = readDirective(statement)
    if (found === undefined) lost.push(statement)
    else headers[found.side][found.name] = found.value
  }
  const settings = { headerChanges: headers }
  if (lost.length === 0) return { outcome: 'converted', level: 'info', message: 'it only sets headers', settings }
  const quoted = lost.map((statement) => JSON.stringify(statement)).join(', ')
  return {
    outcome: 'unsupported',
    level: 'error',
    message: `lost: ${quoted}; headers with literal values are carried over, nothing else`,
    settings,
  }
}

/** Comments gone, white space made one blank; a semicolon in quotes ends nothing. */
function statementsOf(snippet: string): readonly string[] {
  const text = snippet.replace(/(^|\s)#.*$/gm, '')
  return [...text.matchAll(/(?:[^;"']|"[^"]*"|'[^']*'|["'])+/g)]
    .map(([statement]) => statement.replace(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '')
}

interface HeaderDirective {
  readonly side: 'request' | 'response'
  readonly name: string
  readonly value: string
}

function readDirective(statement: string): HeaderDirective | undefined {
  for (const [side, pattern] of DIRECTIVES) {
    const [, name, value] = pattern.exec(statement) ?? []
    if (name !== undefined && value !== undefined) return { side, name: name.toLowerCase(), value }
  }
  return undefined
}
