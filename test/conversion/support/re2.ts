/**
 * RE2, as Envoy uses it, by RE2JS: a path has to match from end to end, and substitutions write groups as `\1`. A pattern
 * that RE2 refuses throws, as it would keep the whole configuration from the gateway.
 */
import { RE2JS } from 're2js'

const COMPILED = new Map<string, RE2JS>()

/** RE2::FullMatch. */
export function fullMatch(expression: string, text: string): boolean {
  return compile(expression).matches(text)
}

/** RE2::GlobalReplace. */
export function substitute(expression: string, text: string, replacement: string): string {
  return compile(expression)
    .matcher(text)
    .replaceAll((...found: readonly unknown[]) =>
      replacement.replaceAll(/\\([0-9\\])/g, (_, group: string) =>
        group === '\\' ? '\\' : String(found[Number(group)] ?? ''),
      ),
    )
}

function compile(expression: string): RE2JS {
  const compiled = COMPILED.get(expression) ?? RE2JS.compile(expression)
  COMPILED.set(expression, compiled)
  return compiled
}
