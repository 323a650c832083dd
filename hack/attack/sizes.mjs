// Reviews of every shape, as CREATE and UPDATE, ten at once: the server lives, stays within the chart's memory, and
// answers a small review beside them within a second. A denial of a valid Ingress takes half a second at most.
import { isAlive, MEMORY_LIMIT, post, resident, startServer, stopServer, watchOthers } from './server.mjs'
import { reviewText, SHAPES, SMALL } from './shapes.mjs'

const MIB = 1024 * 1024
const AT_ONCE = 10
const OTHERS_MS = 1000
const DENIAL_MS = 500
/** The fastest counts: what the machine does besides is not the server's. */
const ATTEMPTS = 5

/** Every other shape is an UPDATE; `all` makes each both. */
export async function attackWithSizes({ report, only, all }) {
  const server = await startServer()
  for (let count = 0; count < 200; count++) await post(server, '/mutate', SMALL)
  const shapes = SHAPES.filter(([name]) => only === undefined || name.includes(only))
  for (const [index, [name, kind, make]] of shapes.entries())
    for (const operation of all ? ['CREATE', 'UPDATE'] : [index % 2 === 0 ? 'CREATE' : 'UPDATE']) {
      if (!isAlive(server)) break
      const object = make(operation === 'CREATE' ? 29 * MIB : 14 * MIB)
      const others = watchOthers(server)
      const more = operation === 'CREATE' ? {} : { oldObject: object.replace('"a"', '"b"') }
      const review = Buffer.from(reviewText(kind, object, more))
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => post(server, '/mutate', review)))
      const { slowest, failed, count } = await others.end()
      const statuses = [...new Set(answers.map(({ status, error }) => status ?? error))].join('/')
      const problems = [
        ...(isAlive(server) ? [] : [`the server ended: ${JSON.stringify(server.exit)}`]),
        ...(failed.length === 0 ? [] : [`${failed.length} others failed: ${failed[0]}`]),
        ...(slowest > OTHERS_MS ? [`others waited ${slowest} ms`] : []),
      ]
      report(
        `${kind}: ${name}, ${operation}, ten of 30 MiB`,
        problems,
        `${statuses}; ${count} others, ${slowest} ms at most`,
      )
    }
  const { most } = isAlive(server) ? resident(server) : { most: 0 }
  report('memory', most > MEMORY_LIMIT ? [`${most} MiB`] : [], `${most} of ${MEMORY_LIMIT} MiB at most`)
  for (const [name, kind, make] of shapes.filter(([, kind]) => kind === 'Ingress'))
    for (const operation of ['CREATE', 'UPDATE']) {
      const object = make(1.45 * MIB)
      const more = operation === 'CREATE' ? {} : { oldObject: object.replace('"a"', '"b"').replace('/', '/x') }
      const review = reviewText(kind, object, more)
      const times = []
      for (let count = 0; count < ATTEMPTS; count++) times.push(await post(server, '/validate', review))
      const fastest = Math.round(Math.min(...times.map(({ milliseconds }) => milliseconds)))
      report(
        `a valid Ingress: ${name}, ${operation}`,
        fastest > DENIAL_MS ? [`${fastest} ms`] : [],
        `${fastest} ms, allowed: ${times[0].json?.response.allowed}`,
      )
    }
  const { code } = await stopServer(server)
  report('the end', code === 0 ? [] : [`exit code ${code}`], 'exit code 0')
}
