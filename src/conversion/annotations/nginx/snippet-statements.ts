/** The statements of a piece of nginx configuration (https://nginx.org/en/docs/beginners_guide.html#conf_structure). */

/** Quoted text, variables and comments are single tokens, so their contents end nothing. */
const TOKENS =
  /"(?:[^"\\]|\\(?:.|$))*(?:"|$)|'(?:[^'\\]|\\(?:.|$))*(?:'|$)|\$\{\w*\}|(?<![^\s;{}])#[^\n]*|(?:[^;{}"'$#]|(?<=[^\s;{}])#)+|./gs

/**
 * Splits a snippet into statements without comments and with single spaces. A statement ends with a semicolon or with
 * the brace that closes its block. A brace that closes the location itself starts one statement with all that follows.
 */
export function statementsOf(snippet: string): readonly string[] {
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

/** Returns the name of a directive and its arguments, without quotes. */
export function wordsOf(statement: string): readonly string[] {
  return [...statement.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*)/g)].map(
    ([, double, single, bare]) => (double ?? single ?? bare ?? '').replace(/\\(["'\\])/g, '$1'),
  )
}
