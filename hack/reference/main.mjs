// `npm run reference`: writes docs/reference and the chart's schema of `config`. Reads dist/.
import { mkdirSync, writeFileSync } from 'node:fs'
import prettier from 'prettier'
import { pages } from './pages.mjs'

const ROOT = new URL('../../', import.meta.url)

mkdirSync(new URL('docs/reference/', ROOT), { recursive: true })
for (const [path, text] of pages()) {
  const options = await prettier.resolveConfig(new URL(path, ROOT).pathname)
  writeFileSync(new URL(path, ROOT), await prettier.format(text, { ...options, filepath: path }))
}
