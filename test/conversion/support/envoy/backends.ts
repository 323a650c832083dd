/**
 * The backends behind the real gateway: one process that listens on a port for each Service port, and answers with what it
 * was asked. Speaks HTTP/1, HTTP/2 without TLS (gRPC ports), and TLS, by what the connection begins with.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { SERVING } from '../../../support/api-server/objects.ts'

/** On the loopback device, but not in 127.0.0.0/8, which the API server refuses for an EndpointSlice. */
const ADDRESS = '10.77.0.1'

export interface ServicePort {
  readonly namespace: string
  readonly service: string
  readonly port: number
  readonly isGrpc?: boolean
}

export interface Seen {
  /** `service.namespace.svc.cluster.local:port` */
  readonly to: string
  readonly path: string
  readonly authority: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Backends {
  /** Services and EndpointSlices that lead to them. */
  readonly objects: readonly JsonObject[]
  readonly close: () => void
}

export async function startBackends(ports: readonly ServicePort[]): Promise<Backends> {
  const open = await Promise.all(
    ports.map(async (port) => {
      const { server, close } = echo(`${port.service}.${port.namespace}.svc.cluster.local:${port.port}`)
      await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve))
      return { ...port, close, target: (server.address() as AddressInfo).port }
    }),
  )
  const names = [...new Set(open.map(({ namespace, service }) => `${namespace}/${service}`))]
  return {
    objects: names.flatMap((name) =>
      serviceObjects(open.filter(({ namespace, service }) => `${namespace}/${service}` === name)),
    ),
    close: () => open.forEach((each) => each.close()),
  }
}

/** A Service with an endpoint on this machine for each of its ports. */
export function serviceObjects(ports: readonly (ServicePort & { readonly target: number })[]): readonly JsonObject[] {
  const { namespace = '', service = '' } = ports[0] ?? {}
  const named = ports.map(({ port, target, isGrpc }) => ({
    name: `${isGrpc === true ? 'grpc' : port === 443 ? 'tls' : 'http'}-${port}`,
    port,
    target,
  }))
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace },
      spec: { ports: named.map(({ name, port, target }) => ({ name, port, targetPort: target })) },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${service}-1`, namespace, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ADDRESS], conditions: { ready: true } }],
      ports: named.map(({ name, target }) => ({ name, port: target })),
    },
  ]
}

interface Echo {
  readonly server: Server
  readonly close: () => void
}

function echo(to: string): Echo {
  const sockets = new Set<Socket>()
  const plain = createHttpServer((request, response) => answer(to, request, response))
  const http2 = createHttp2Server((request, response) => answer(to, request, response as unknown as ServerResponse))
  const tls = createTlsServer({ cert: SERVING.cert, key: SERVING.key }, (socket) => plain.emit('connection', socket))
  const server = createTcpServer((socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
    socket.once('data', (first) => {
      const isTls = first[0] === 0x16
      if (isTls || first.toString('latin1').startsWith('PRI * HTTP/2')) {
        passOn(socket, first, isTls ? tls : http2)
        return
      }
      socket.pause()
      socket.unshift(first)
      plain.emit('connection', socket)
      socket.resume()
    })
  })
  const close = () => {
    for (const socket of sockets) socket.destroy()
    for (const each of [server, tls, http2]) each.close()
  }
  return { server, close }
}

function answer(to: string, request: Pick<IncomingMessage, 'url' | 'headers'>, response: ServerResponse): void {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const authority = headers['host'] ?? headers[':authority'] ?? ''
  const seen: Seen = { to, path: request.url ?? '', authority, headers }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(seen))
}

/**
 * TLS and HTTP/2 servers of Node read from the system's socket, past what has been read of it here; hence a connection of
 * their own.
 */
function passOn(socket: Socket, first: Buffer, server: Server): void {
  if (!server.listening) {
    server.listen(0, ADDRESS, () => passOn(socket, first, server))
    return
  }
  const inner = connect((server.address() as AddressInfo).port, ADDRESS)
  inner.on('error', () => socket.destroy())
  socket.once('close', () => inner.destroy())
  inner.write(first)
  socket.pipe(inner).pipe(socket)
}
