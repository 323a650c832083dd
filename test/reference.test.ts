// docs/reference and the chart's schema are generated; what is committed has to be what the program says today.
import { readdirSync, readFileSync } from 'node:fs'
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

t.test('every annotation that the source reads has a row in the reference and in the README', (t) => {
  const source = readdirSync(new URL('src', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`src/${name}`, ROOT), 'utf8'))
  const keys = new Set(
    source.flatMap((text) => [...text.matchAll(/'(istio-onramp\.io\/[a-z-]+)'/g)].map(([, key]) => key)),
  )
  t.ok(keys.size >= 8, [...keys].join(', '))
  for (const page of ['docs/reference/annotations.md', 'README.md']) {
    const text = readFileSync(new URL(page, ROOT), 'utf8')
    for (const key of keys) t.ok(text.includes(`\`${String(key)}\``), `${page}: ${String(key)}`)
  }
  t.end()
})
