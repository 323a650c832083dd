/** The version of this package, from the package.json next to `dist/` or `src/`. */
import { readFileSync } from 'node:fs'
import { stringMember } from './kubernetes/json.ts'

export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return stringMember(JSON.parse(text), 'version') ?? 'unknown'
}
