/**
 * RE2, as Envoy uses it, on JavaScript's regular expressions: a path has to match from end to end, and substitutions
 * write groups as `\1`. The syntax that both have is enough for what is converted here; anything else throws, as an
 * expression that Envoy refuses would keep the whole configuration from the gateway.
 */
const COMPILED = new Map<string, RegExp>()

/** Lookaround, backreferences, atomic groups, and possessive quantifiers: PCRE has them, RE2 refuses them. */
const NOT_RE2 = /\(\?(?:=|!|<=|<!|>)|(?:[*+?]|\{\d+(?:,\d*)?\})\+|\\[1-9]|\\k</

export function fullMatch(expression: string, text: string): boolean {
  return compile(`^(?:`, expression, ')$', '').test(text)
}

/** RE2's GlobalReplace. */
export function substitute(expression: string, text: string, replacement: string): string {
  return text.replace(compile('', expression, '', 'g'), (...found: readonly unknown[]) =>
    replacement.replaceAll(/\\([0-9\\])/g, (_, group: string) =>
      group === '\\' ? '\\' : String(found[Number(group)] ?? ''),
    ),
  )
}

function compile(before: string, expression: string, after: string, flags: string): RegExp {
  const key = [before, expression, after, flags].join('\0')
  const known = COMPILED.get(key)
  if (known !== undefined) return known
  const escaped = expression.replaceAll('\\\\', '')
  if (NOT_RE2.test(escaped)) throw new Error(`RE2 refuses ${JSON.stringify(expression)}`)
  const { 1: leading = '', 2: rest = '' } = /^(?:\^?\(\?([is]+)\))?(.*)$/s.exec(expression) ?? []
  const anchor = expression.startsWith('^(?') && leading !== '' ? '^' : ''
  if (/\(\?[a-zA-Z-]+[:)]/.test(rest.replaceAll('(?:', '')))
    throw new Error(`flags are read at the start only: ${JSON.stringify(expression)}`)
  const source = rest.replaceAll('(?P<', '(?<').replaceAll('\\z', '$').replaceAll('\\A', '^')
  const compiled = new RegExp(`${before}${anchor}${source}${after}`, flags + leading)
  COMPILED.set(key, compiled)
  return compiled
}
