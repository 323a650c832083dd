// The floor: the least a Node server can do for a review. Reads, parses, answers with a fixed patch.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [, , certFile, keyFile] = process.argv
const patch = Buffer.from(
  JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { a: 'b'.repeat(600) } }]),
).toString('base64')
const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), keepAliveTimeout: 120_000 },
  (request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8'))
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          apiVersion: review.apiVersion,
          kind: review.kind,
          response: { uid: review.request.uid, allowed: true, patchType: 'JSONPatch', patch },
        }),
      )
    })
  },
)
server.listen(0, '127.0.0.1', () =>
  console.error(JSON.stringify({ msg: 'listening', address: `127.0.0.1:${server.address().port}` })),
)
