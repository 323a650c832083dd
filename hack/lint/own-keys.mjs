// Holds that no table is read by a text from a user without a check for own members: `TABLE['constructor']` is a function, and a
// manifest may use that name as a kind, a group, a key or a value. `ownEntry` and `member` (src/kubernetes/json.ts) are safe.
// Writes do not count; part of `npm run lint`.
import ts from 'typescript'

/** Defines the safe lookups. */
const LOOKUPS = 'src/kubernetes/json.ts'

const config = ts.getParsedCommandLineOfConfigFile(
  'tsconfig.json',
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic },
)
const program = ts.createProgram(config.fileNames, config.options)
const checker = program.getTypeChecker()
const files = program
  .getSourceFiles()
  .filter(({ fileName }) => /\/src\//.test(fileName) && !/node_modules/.test(fileName))
const found = files.filter(({ fileName }) => !fileName.endsWith(LOOKUPS)).flatMap(unsafeReads)

for (const line of found) console.error(`${line}: use ownEntry or member (${LOOKUPS})`)
console.log(`the lookups of ${files.length} files: ${found.length} may find what objects inherit`)
process.exit(found.length === 0 && files.length > 100 ? 0 : 1)

function unsafeReads(file) {
  const reads = []
  const visit = (node) => {
    if (isUnsafe(node)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart())
      reads.push(`${file.fileName.replace(/.*\/src\//, 'src/')}:${line + 1}: ${node.getText()}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return reads
}

/** `table[text]` or `text in table`, where the text is not a constant. */
function isUnsafe(node) {
  if (ts.isBinaryExpression(node))
    return node.operatorToken.kind === ts.SyntaxKind.InKeyword && !ts.isStringLiteral(node.left)
  if (!ts.isElementAccessExpression(node) || isWrite(node)) return false
  const key = checker.getTypeAtLocation(node.argumentExpression)
  const table = checker.getTypeAtLocation(node.expression)
  const isOpen = (key.flags & (ts.TypeFlags.String | ts.TypeFlags.Any)) !== 0
  return isOpen && checker.getIndexInfoOfType(table, ts.IndexKind.String) !== undefined
}

function isWrite(node) {
  const { parent } = node
  return (
    ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken && parent.left === node
  )
}

function onUnRecoverableConfigFileDiagnostic({ messageText }) {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
}
