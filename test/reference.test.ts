// docs/reference and the chart's schema are generated; what is committed has to be what the program says today.
import { readFileSync } from 'node:fs'
import prettier from 'prettier'
import t from 'tap'

const ROOT = new URL('../', import.meta.url)

t.test('npm run reference would change nothing', async (t) => {
  const { pages } = (await import(new URL('hack/reference/pages.mjs', ROOT).href)) as {
    pages: () => ReadonlyMap<string, string>
  }
  for (const [path, text] of pages()) {
    const options = await prettier.resolveConfig(new URL(path, ROOT).pathname)
    const expected = await prettier.format(text, { ...options, filepath: path })
    t.equal(readFileSync(new URL(path, ROOT), 'utf8'), expected, `${path} is current`)
  }
})
