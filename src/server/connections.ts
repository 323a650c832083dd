/**
 * Caps the open connections without refusing any. At the cap, the oldest connection that never sent a request is
 * closed, otherwise the one that has been idle longest. kube-apiserver pools unused connections for 90 s, so below the
 * cap none is closed for being unused (webhook-server.ts).
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A TLS connection takes about 60 KB. */
const MOST_CONNECTIONS = 500

interface Connection {
  readonly socket: Socket
  requests: number
  inFlight: number
  lastUsed: number
}

/** Must be called before the server listens. */
export function capConnections(app: FastifyInstance, most = MOST_CONNECTIONS): void {
  // The raw socket and its TLS socket are two objects with the same address.
  const open = new Map<string, Connection>()
  app.server.on('connection', (socket: Socket) => {
    const key = keyOf(socket)
    open.set(key, { socket, requests: 0, inFlight: 0, lastUsed: performance.now() })
    socket.once('close', () => open.delete(key))
    if (open.size > most) leastNeeded([...open.values()])?.socket.destroy()
  })
  app.server.on('request', (message: IncomingMessage, response) => {
    const connection = open.get(keyOf(message.socket))
    if (connection === undefined) return
    connection.requests += 1
    connection.inFlight += 1
    response.once('close', () => {
      connection.inFlight -= 1
      connection.lastUsed = performance.now()
    })
  })
}

/** A map keeps the order in which connections were opened. */
function leastNeeded(connections: readonly Connection[]): Connection | undefined {
  const idle = connections.filter(({ inFlight }) => inFlight === 0)
  const unused = idle.slice(0, -1).find(({ requests }) => requests === 0)
  return unused ?? idle.slice(0, -1).toSorted((left, right) => left.lastUsed - right.lastUsed)[0]
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`
}
