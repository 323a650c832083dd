// Citations and links of the repository lead somewhere: a comment that names a fact is worth what its reader can open.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const FOLDERS = ['.ci', 'charts', 'docs', 'examples', 'hack', 'prober', 'src', 'test']
const PAGES = ['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'eslint.config.js', 'package.json']
const TEXT = /\.(?:cjs|go|js|md|mjs|mod|sh|tpl|ts|txt|ya?ml)$|\/[\w-]+$/

const files = [...PAGES, ...FOLDERS.flatMap((folder) => filesBelow(join(ROOT, folder)))]
  .map((path) => (path.startsWith('/') ? relative(ROOT, path) : path))
  .filter((path) => TEXT.test(path) && path !== 'test/docs/links.test.ts')
const texts = new Map(files.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path)
    return entry.isFile() && statSync(path).size < 1_000_000 ? [path] : []
  })
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): ReadonlySet<string> {
  const headings = (texts.get(path) ?? '').match(/^#{1,6} .+$/gm) ?? []
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
}

/** Undefined if the target of a link exists. */
function problemOf(path: string, anchor: string | undefined): string | undefined {
  if (!existsSync(join(ROOT, path))) return `${path} does not exist`
  if (anchor === undefined || !path.endsWith('.md')) return undefined
  return anchorsOf(path).has(anchor) ? undefined : `${path} has no heading #${anchor}`
}

t.test('every fact that a comment cites is a section of docs/facts', (t) => {
  const cited = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\bdocs\/facts\/[\w-]+\.md(?:#([\w-]+))?/g)].map(([link, anchor]) => ({ file, link, anchor })),
  )
  t.ok(cited.length > 50, `${cited.length} citations`)
  for (const { file, link, anchor } of cited) {
    const problem = problemOf(link.replace(/#.*/, ''), anchor)
    if (problem !== undefined) t.fail(`${file}: ${problem}`)
  }
  t.end()
})

t.test('every link of a page to another page leads there', (t) => {
  let followed = 0
  for (const [file, text] of texts) {
    if (!file.endsWith('.md')) continue
    for (const [, target = ''] of text.replace(/```.*?```/gs, '').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      followed += 1
      const problem = problemOf(path === '' ? file : join(dirname(file), path), anchor)
      if (problem !== undefined) t.fail(`${file}: ${problem}`)
    }
  }
  t.ok(followed > 50, `${followed} links`)
  t.end()
})

t.test('nothing cites a page that is not in the repository', (t) => {
  const PRIVATE = /\bspec\/[a-z-]+\.md|\b(?:design|house|ground-truth)\.md\b|(?<![\w.])\.\.\/shared\b/
  for (const [file, text] of texts) {
    const line = text.split('\n').findIndex((one) => PRIVATE.test(one))
    if (line !== -1) t.fail(`${file}:${line + 1} cites ${PRIVATE.exec(text)?.[0] ?? ''}`)
  }
  t.ok(texts.size > 100, `${texts.size} files`)
  t.end()
})
