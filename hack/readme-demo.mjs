// Checks that the demo prints what the README shows of it: `npm run demo | node hack/readme-demo.mjs`. Line breaks do not count,
// and `...` in the README stands for any text. Part of .ci/run.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

const [, block = ''] = /Part of what the demo shows:\n\n```\n([^]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? []
const printed = oneLine(await text(process.stdin))
const parts = block
  .split(/\.\.\.|\n\n/)
  .map(oneLine)
  .filter((part) => part !== '')
const missing = parts.filter((part) => !printed.includes(part))

for (const part of missing) console.error(`README.md shows what the demo does not print: ${part}`)
console.log(`${parts.length} parts of the README's demo, ${missing.length} missing`)
process.exit(missing.length === 0 && parts.length > 5 ? 0 : 1)

function oneLine(lines) {
  return lines.replace(/\s+/g, ' ').trim()
}
