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
