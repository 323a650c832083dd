// The guides tell the truth: every command in them runs, and prints what they say. After a change of what commands print:
// GOLDEN=rewrite npx tap test/docs/guides.test.ts, and look at the difference.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runCommandLine } from '../../src/command-line.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const GUIDES = join(ROOT, 'docs/guides')
const BLOCK = /^```console\n\$ istio-onramp ([^\n]+)\n([^]*?)^```$/gm
const FOLDER = t.testdir()

/** Standard error before standard output, which `> FILE` takes away. Names of outputs are within a folder of the test. */
async function printed(command: string): Promise<string> {
  const [args = '', file] = command.split(' > ')
  let stdout = ''
  let stderr = ''
  await runCommandLine(
    args.split(' ').map((arg) => (arg === 'converted' ? join(FOLDER, arg) : arg)),
    {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    },
  )
  return (stderr + (file === undefined ? stdout : '')).replaceAll(`${FOLDER}/`, '')
}

for (const name of readdirSync(GUIDES).filter((file) => file.endsWith('.md')))
  t.test(`${name}: each command prints what the page says`, async (t) => {
    process.chdir(ROOT)
    const page = join(GUIDES, name)
    const text = readFileSync(page, 'utf8')
    let current = text
    const blocks = [...text.matchAll(BLOCK)]
    t.ok(blocks.length >= 2, `${blocks.length} commands`)
    for (const [block, command = '', shown] of blocks) {
      const output = await printed(command)
      if (process.env['GOLDEN'] === 'rewrite') {
        current = current.replace(block, () => `\`\`\`console\n$ istio-onramp ${command}\n${output}\`\`\``)
      } else t.equal(shown, output, command)
    }
    if (current !== text) writeFileSync(page, current)
  })
