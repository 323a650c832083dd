// npm run attack: what a client or a user without rights can do to the server, with the bounds that have to hold.
// `--only sizes` runs one of them, `--shape TEXT` the shapes whose name has the text, `--all` each as CREATE and UPDATE.
import { parseArgs } from 'node:util'
import { attackWithCertificates } from './certificates.mjs'
import { attackWithConnections } from './connections.mjs'
import { attackWithLists } from './lists.mjs'
import { attackWithLogs } from './logs.mjs'
import { attackWithPatterns } from './patterns.mjs'
import { attackWithSizes } from './sizes.mjs'

const ATTACKS = {
  sizes: attackWithSizes,
  lists: attackWithLists,
  connections: attackWithConnections,
  patterns: attackWithPatterns,
  logs: attackWithLogs,
  certificates: attackWithCertificates,
}
const { values } = parseArgs({
  options: { only: { type: 'string' }, shape: { type: 'string' }, all: { type: 'boolean' } },
})
let failures = 0
const report = (name, problems, detail) => {
  if (problems.length > 0) failures += 1
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${[...problems, detail].join('; ')}`)
}
for (const [name, attack] of Object.entries(ATTACKS)) {
  if (values.only !== undefined && values.only !== name) continue
  console.log(`\n${name}`)
  await attack({ report, only: values.shape, all: values.all === true })
}
console.log(`\n${failures} failures`)
process.exitCode = failures === 0 ? 0 : 1
