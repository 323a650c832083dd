/** ingress-nginx: configuration of nginx itself (docs/facts/ingress-nginx.md#snippets). */
import type { Target } from '../../model/conversion-options.ts'
import { unsupported, type AnnotationPlace, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_SNIPPET: AnnotationTable = nginxTable({
  'configuration-snippet': readSnippet,
  'server-snippet': unsupported(
    'error',
    'it may change anything about the whole host: recreate what it does in Istio, with an EnvoyFilter if nothing else fits',
  ),
  'stream-snippet': unsupported('error', 'TCP routes are a Gateway server and a VirtualService with tcp'),
})

/** One directive a statement, with the header's name and its literal value. */
const DIRECTIVES: readonly (readonly ['request' | 'response', RegExp])[] = [
  ['response', /^more_set_headers\s+["']([\w-]+):\s*([^"'$]*)["']$/],
  ['response', /^add_header\s+["']?([\w-]+)["']?\s+["']?([^"'$]*?)["']?(?:\s+always)?$/],
  ['request', /^proxy_set_header\s+["']?([\w-]+)["']?\s+["']?([^"'$]*?)["']?$/],
]

export function readSnippet(value: string, { target }: AnnotationPlace): Effect {
  const headers = { request: {} as Record<string, string>, response: {} as Record<string, string> }
  const lost: string[] = []
  for (const statement of statementsOf(value)) {
    const found = readDirective(statement, target)
    if (found === undefined) lost.push(statement)
    else headers[found.side][found.name] = found.value
  }
  const settings = { headerChanges: headers }
  if (lost.length === 0) return { outcome: 'converted', level: 'info', message: 'sets headers only', settings }
  const quoted = lost.map((statement) => JSON.stringify(statement)).join(', ')
  return {
    outcome: 'unsupported',
    level: 'error',
    message: `not converted: ${quoted}. Only top-level header directives with literal values are converted`,
    settings,
  }
}

/** Quoted text, a variable and a comment are one token each: what is in them ends nothing. */
const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{\w*\}|(?<![^\s;{}])#[^\n]*|(?:[^;{}"'$#]|(?<=[^\s;{}])#)+|./gs

/**
 * Comments gone, white space made one blank. A statement ends with a semicolon, or with the brace that closes its block;
 * from a brace that closes the location itself, all that follows is one.
 */
function statementsOf(snippet: string): readonly string[] {
  const statements = ['']
  let depth = 0
  for (const [token] of snippet.matchAll(TOKENS)) {
    if (token.startsWith('#')) continue
    const closesLocation = token === '}' && depth === 0
    if (closesLocation) statements.push('')
    depth = closesLocation ? Infinity : depth + depthChange(token)
    const isEnd = depth === 0 && (token === ';' || token === '}')
    if (!isEnd || token === '}') statements.push(`${statements.pop() ?? ''}${token}`)
    if (isEnd) statements.push('')
  }
  return statements.map((statement) => statement.replace(/\s+/g, ' ').trim()).filter((statement) => statement !== '')
}

function depthChange(token: string): number {
  return token === '{' ? 1 : token === '}' ? -1 : 0
}

interface HeaderDirective {
  readonly side: 'request' | 'response'
  readonly name: string
  readonly value: string
}

/** The CRD of Gateway API takes no header with an empty value. */
function readDirective(statement: string, target: Target): HeaderDirective | undefined {
  for (const [side, pattern] of DIRECTIVES) {
    const [, name, value] = pattern.exec(statement) ?? []
    if (name === undefined || value === undefined || (value === '' && target === 'gateway-api')) continue
    return { side, name: name.toLowerCase(), value }
  }
  return undefined
}
