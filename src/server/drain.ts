/**
 * Stops the server without losing an admission. After the endpoint is removed, the API server still uses pooled
 * connections. So for a while every answer says `Connection: close`, and new requests are still accepted. With that, 0
 * of 3,800 creates failed; a plain close lost some (docs/facts/operations.md#shutdown,
 * docs/facts/admission-requests.md#draining).
 */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

const TICK_MS = 100
/** The longest admission: the API server's own limit for a call is 30 s. */
const IN_FLIGHT_MS = 31_000

export interface Drain {
  isDraining(): boolean
  /** Counts the requests and connections of a server. Must be called before it listens. */
  follow(app: FastifyInstance): void
  /** Resolves when the server is closed and no connection is left. */
  stop(app: FastifyInstance, timing: DrainTiming): Promise<void>
}

export interface DrainTiming {
  readonly drainSeconds: number
  readonly idleSeconds: number
}

export function createDrain(onDraining: () => void = () => undefined): Drain {
  const sockets = new Set<Socket>()
  let draining = false
  let inFlight = 0
  let lastRequest = 0

  const quietFor = (): number => (inFlight > 0 ? 0 : performance.now() - lastRequest)

  return {
    isDraining: () => draining,
    follow(app) {
      app.server.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      })
      app.addHook('onRequest', (_request, reply, done) => {
        inFlight += 1
        lastRequest = performance.now()
        reply.raw.once('close', () => {
          inFlight -= 1
        })
        if (draining) reply.header('connection', 'close')
        done()
      })
      app.addHook('onSend', (_request, reply, payload, done) => {
        if (draining) reply.header('connection', 'close')
        done(null, payload)
      })
    },
    async stop(app, { drainSeconds, idleSeconds }) {
      draining = true
      onDraining()
      const started = performance.now()
      lastRequest = started
      while (performance.now() - started < drainSeconds * 1000 && quietFor() < idleSeconds * 1000) await sleep(TICK_MS)
      await closeAll(app, () => inFlight, sockets)
    },
  }
}

/**
 * Node's `closeIdleConnections` misses connections that never had a request, and its `close` waits for all of them
 * (docs/facts/admission-requests.md#draining). So raw sockets are ended once nothing is in flight.
 */
async function closeAll(app: FastifyInstance, inFlight: () => number, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = app.close()
  const deadline = performance.now() + IN_FLIGHT_MS
  while (inFlight() > 0 && performance.now() < deadline) await sleep(TICK_MS)
  for (const socket of sockets) socket.destroySoon()
  await sleep(TICK_MS)
  for (const socket of sockets) socket.destroy()
  await closed
}
