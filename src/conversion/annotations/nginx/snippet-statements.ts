/** The statements of a piece of nginx configuration (https://nginx.org/en/docs/beginners_guide.html#conf_structure). */

/** Quoted text, a variable and a comment are one token each: what is in them ends nothing. */
const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{\w*\}|(?<![^\s;{}])#[^\n]*|(?:[^;{}"'$#]|(?<=[^\s;{}])#)+|./gs

/**
 * Comments gone, white space made one blank. A statement ends with a semicolon, or with the brace that closes its block;
 * from a brace that closes the location itself, all that follows is one.
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

/** The name of a directive and its arguments, without their quotes. */
export function wordsOf(statement: string): readonly string[] {
  return [...statement.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']\S*)/g)].map(
    ([, double, single, bare]) => (double ?? single ?? bare ?? '').replace(/\\(["'\\])/g, '$1'),
  )
}
