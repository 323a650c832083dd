// A large file is read in pieces of whole documents. However small the pieces are, the documents are those of the whole file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { splitDocuments } from '../../src/cluster/manifest-documents.ts'
import { readPieces, type Piece } from '../../src/cluster/manifest-pieces.ts'
import { readDocuments, type ManifestDocument } from '../../src/cluster/manifest.ts'
import { propertyRuns } from '../support/property-runs.ts'

const GOLDEN = fileURLToPath(new URL('../commands/preview', import.meta.url))

async function piecesOf(file: string, bytes: number): Promise<readonly Piece[]> {
  const pieces: Piece[] = []
  for await (const piece of readPieces(file, bytes)) pieces.push(piece)
  return pieces
}

async function inPieces(file: string, bytes: number): Promise<readonly ManifestDocument[]> {
  return (await piecesOf(file, bytes)).flatMap(({ text, start }) => [
    ...readDocuments({ file, text, start, isInFolder: false }),
  ])
}

function asOne(file: string): readonly ManifestDocument[] {
  return [...readDocuments({ file, text: readFileSync(file, 'utf8'), isInFolder: false })]
}

t.test('pieces are the file, and have the documents, lines, warnings and problems of the whole', async (t) => {
  const files = readdirSync(GOLDEN).filter((name) => /\.(yaml|json|expected)$/.test(name))
  let cuts = 0
  for (const name of files) {
    const file = join(GOLDEN, name)
    const pieces = await piecesOf(file, 100)
    cuts += pieces.length - 1
    t.equal(pieces.map(({ text }) => text).join(''), readFileSync(file, 'utf8'), `${name} is whole`)
    t.same(await inPieces(file, 100), asOne(file), name)
  }
  t.ok(cuts > 10, `${cuts} cuts`)
})

const line = fc.constantFrom(
  ...[
    '---\n',
    '---\n',
    '--- # c\n',
    '---# c\n',
    'a: 1\n',
    'kind: A\n',
    '# c\n',
    '\n',
    '%YAML 1.1\n',
    '{"a": 1}\n',
    '  é: |\n',
  ],
  ...['---\r\n', 'a: b\r\n', '...\n', '\ufeff', '--- a\n', 'a: "\n'],
)

t.test('so it is with separators, comments and directives in any order', async (t) => {
  const file = join(t.testdir({}), 'any.yaml')
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), async (lines, bytes) => {
      writeFileSync(file, lines.join(''))
      const [pieces, whole] = [await inPieces(file, bytes), asOne(file)]
      if (JSON.stringify(pieces) !== JSON.stringify(whole))
        throw new Error(`${JSON.stringify(lines)}: ${JSON.stringify(pieces)} instead of ${JSON.stringify(whole)}`)
    }),
    propertyRuns(300),
  )
})

t.test('a JSON file and an empty one are one piece; text that is not UTF-8 is refused', async (t) => {
  const folder = t.testdir({ 'a.json': '{"a":\n"\n---\n"}'.repeat(9), 'empty.yaml': '' })
  t.equal((await piecesOf(join(folder, 'a.json'), 10)).length, 1)
  t.same(await piecesOf(join(folder, 'empty.yaml'), 10), [{ text: '', start: { line: 1, documents: 0 } }])
  writeFileSync(join(folder, 'bytes.yaml'), Buffer.from([0x61, 0xff, 0x0a]))
  await t.rejects(piecesOf(join(folder, 'bytes.yaml'), 10), /not UTF-8/)
  await t.rejects(piecesOf(join(folder, 'none.yaml'), 10), { code: 'ENOENT' })
  t.same([...splitDocuments('')], [])
})
