// Writes docs/reference/findings from the table of finding codes. Needs a build.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { findingPages } from '../../dist/commands/check-explain.js'

const folder = new URL('../../docs/reference/findings/', import.meta.url)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [name, text] of findingPages()) writeFileSync(new URL(name, folder), text)
