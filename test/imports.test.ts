import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { circleIn, importGraph } from './support/import-graph.ts'

t.test('no file of src imports itself through others, not even by type', (t) => {
  const graph = importGraph('src')
  t.ok(graph.get('src/cli.ts')?.includes('src/command-line.ts'), 'the imports are read')
  t.equal(circleIn(graph)?.join(' -> '), undefined)
  t.end()
})

t.test('a circle is found, with the files that it leads through', (t) => {
  const graph = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts', 'd.ts']],
    ['c.ts', []],
    ['d.ts', ['b.ts']],
  ])
  t.equal(circleIn(graph)?.join(' -> '), 'b.ts -> d.ts -> b.ts')
  t.end()
})

t.test('what scripts import from dist/ is a module of src/', (t) => {
  const imports = ['hack', 'test/oracle'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.mjs') && !name.includes('node_modules'))
      .map((name) => join(folder, name))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/from '[./]+\/dist\/([^']+)\.js'/g)].map(([, path = '']) => ({
          file,
          path,
        })),
      ),
  )
  t.ok(imports.length > 20, 'the imports are read')
  for (const { file, path } of imports) t.ok(existsSync(`src/${path}.ts`), `${file} imports ${path}`)
  t.end()
})
