// Connections that take memory or time without sending a review: whatever they do, every small review beside them is answered
// within a second, and the server stays within the chart's memory.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isAlive,
  MEMORY_LIMIT,
  openConnection,
  post,
  resident,
  startServer,
  stopServer,
  watchOthers,
} from './server.mjs'
import { SMALL } from './shapes.mjs'

const MIB = 1024 * 1024
const OTHERS_MS = 1000
const SECONDS = 6
const head = (length) => `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}\r\n\r\n`
const announce = (bytes) => head(`Content-Length: ${bytes}`)
const CHUNKED = head('Transfer-Encoding: chunked')

/** Name, how many connections, what each sends first, and what it sends again and again. */
const ATTACKS = [
  ['4 announce 32 MiB and send a byte', 4, `${announce(32 * MIB)}{`],
  ['64 announce 32 MiB and send a byte', 64, `${announce(32 * MIB)}{`],
  ['64 announce 1 MiB and send half of it', 64, `${announce(MIB)}${' '.repeat(MIB / 2)}`],
  ['16 announce 32 MiB and send a tenth of it', 16, `${announce(32 * MIB)}${' '.repeat(3 * MIB)}`],
  ['16 send a large body byte by byte', 16, announce(32 * MIB), ' '],
  ['4 send one-byte chunks', 4, CHUNKED, '1\r\n \r\n'.repeat(20_000)],
  ['4 send one-byte chunks with extensions', 4, CHUNKED, `1;${'e'.repeat(1000)}\r\n \r\n`.repeat(100)],
  ['4 send empty lines of a broken chunk', 4, CHUNKED, '0000000\r\n'],
  ['100 never end their headers', 100, 'POST /mutate HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'],
  ['4 send headers of a megabyte', 4, 'POST /mutate HTTP/1.1\r\n', `X-A: ${'b'.repeat(60_000)}\r\n`],
  ['64 send a hundred reviews at once', 64, `${announce(SMALL.length)}${SMALL}`.repeat(100)],
  ['600 send nothing', 600, ''],
]

export async function attackWithConnections({ report, only }) {
  for (const [name, count, first, again] of ATTACKS) {
    if (only !== undefined && !name.includes(only)) continue
    const server = await startServer()
    for (let warm = 0; warm < 200; warm++) await post(server, '/mutate', SMALL)
    const others = watchOthers(server)
    const sockets = await openMany(server, count, first)
    const until = performance.now() + SECONDS * 1000
    while (performance.now() < until && isAlive(server)) {
      if (again !== undefined)
        for (const socket of sockets) if (!socket.destroyed && socket.writableLength < MIB) socket.write(again)
      await sleep(20)
    }
    const { slowest, failed, count: asked } = await others.end()
    const { most } = isAlive(server) ? resident(server) : { most: 0 }
    for (const socket of sockets) socket.destroy()
    report(
      name,
      [
        ...(isAlive(server) ? [] : [`the server ended: ${JSON.stringify(server.exit)}`]),
        ...(failed.length === 0 ? [] : [`${failed.length} others failed: ${failed[0]}`]),
        ...(slowest > OTHERS_MS ? [`others waited ${slowest} ms`] : []),
        ...(most > MEMORY_LIMIT ? [`${most} MiB`] : []),
      ],
      `${asked} others, ${slowest} ms at most, ${most} MiB`,
    )
    await stopServer(server)
  }
}

async function openMany(server, count, first) {
  const sockets = []
  for (let index = 0; index < count; index++) {
    const socket = await openConnection(server)
    if (!first.startsWith('POST') || index % 2 === 0) socket.resume()
    if (first !== '') socket.write(first)
    sockets.push(socket)
  }
  return sockets
}
