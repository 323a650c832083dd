// Holds docs/decisions/patterns-are-linear.md: no regular expression of the product takes more than linear time, whatever the
// text. Literals are read from src/; patterns that are put together are those that the built modules make when they load.
//   1. recheck (https://makenowjust-labs.github.io/recheck/) judges one search by its automaton.
//   2. A search that goes on behind each match (`g`) is measured with long texts of the pattern's own characters.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import ts from 'typescript'

process.env.RECHECK_BACKEND ??= 'auto'
const { check } = await import('recheck')

const LENGTH = 20_000
const ALLOWED_MS = 60

/** Read only texts that JSON.parse has accepted, or can never fail after their first character, so nothing is tried again. */
const NEVER_RETRIED = /^src\/kubernetes\/(?:json-duplicates|yaml-simple-flow)\.ts/

const patterns = [...literals('src'), ...(await constructed('dist'))].filter(({ place }) => !NEVER_RETRIED.test(place))
const bad = []
for (const { place, source, flags } of patterns) {
  const { status, complexity, checker, attack } = await check(source, flags, { timeout: 20_000 })
  // Where quantifiers have bounds, recheck guesses from a few texts: its own worst one, made long, decides.
  const isGuess = status === 'vulnerable' && checker === 'fuzz' && attack !== undefined
  if (isGuess ? milliseconds(source, flags, worstText(attack)) > ALLOWED_MS : status !== 'safe')
    bad.push(`${place}: ${complexity?.summary ?? status}: /${source}/${flags}`)
  else if (flags.includes('g')) {
    const slow = slowText(source, flags)
    if (slow !== undefined) bad.push(`${place}: ${LENGTH} characters of ${JSON.stringify(slow)}: /${source}/${flags}`)
  }
}
for (const line of bad) console.error(line)
console.log(`${patterns.length} regular expressions, ${bad.length} that are not linear`)
process.exit(bad.length === 0 && patterns.length > 100 ? 0 : 1)

function literals(folder) {
  return files(folder, '.ts').flatMap((path) => {
    const found = []
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node) => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/')
        const { line } = file.getLineAndCharacterOfPosition(node.getStart())
        found.push({ place: `${path}:${line + 1}`, source: node.text.slice(1, end), flags: node.text.slice(end + 1) })
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
    return found
  })
}

/** What `new RegExp` makes of constants. cli.js would run, and the demo belongs to nobody's cluster. */
async function constructed(folder) {
  const made = []
  const original = globalThis.RegExp
  globalThis.RegExp = new Proxy(original, {
    construct(target, args) {
      const pattern = Reflect.construct(target, args)
      const [, place] = /\/(dist\/[^:]+:\d+)/.exec(new Error().stack.split('\n')[2]) ?? []
      if (place !== undefined) made.push({ place, source: pattern.source, flags: pattern.flags })
      return pattern
    },
  })
  for (const path of files(folder, '.js').filter((path) => !/cli\.js$|\/demo\//.test(path)))
    await import(join(process.cwd(), path))
  globalThis.RegExp = original
  return made
}

function files(folder, extension) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name))
}

function worstText({ pumps, suffix }) {
  const length = pumps.reduce((sum, { prefix, pump }) => sum + prefix.length + pump.length, 0)
  const times = Math.ceil(LENGTH / Math.max(length, 1))
  return pumps.map(({ prefix, pump }) => prefix + pump.repeat(times)).join('') + suffix
}

/** Runs of one or two of the pattern's characters and words, and of those with a character of another kind behind them. */
function slowText(source, flags) {
  const words = source.match(/[A-Za-z]{2,}/g) ?? []
  const atoms = [...new Set([...source.replace(/\\[a-zA-Z]/g, ''), ...words, 'a', '0', ' ', '\\', '\n', '-', '/'])]
  const units = atoms.flatMap((left) => [left, ...atoms.map((right) => left + right)])
  return units.find((unit) => {
    const text = unit.repeat(Math.ceil(LENGTH / unit.length))
    return [text, `${text}\u0001`].some((whole) => milliseconds(source, flags, whole) > ALLOWED_MS)
  })
}

/** The better of two runs: another process may have had the core during one. */
function milliseconds(source, flags, text) {
  const times = [0, 1].map(() => {
    const started = performance.now()
    text.replace(new RegExp(source, flags), '')
    return performance.now() - started
  })
  return Math.min(...times)
}
