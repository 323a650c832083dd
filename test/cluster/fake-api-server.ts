// An API server as far as lists and watches go, over real sockets, with every way of failing that the live source has to
// bear. Paths it has not been told of answer 404, as for a kind that the cluster does not have.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { JsonObject } from '../../src/kubernetes/json.ts'

export interface FakeApiServer {
  readonly url: string
  readonly requests: string[]
  /** Objects listed at a path; the kind exists from then on. */
  set(path: string, objects: readonly JsonObject[]): void
  forget(path: string): void
  /** Sends an event to whoever watches the path, without changing what is listed. */
  send(path: string, type: string, object: JsonObject): void
  sendLine(path: string, line: string): void
  /** Every list and watch is answered with this status until it is undefined again. */
  failWith(status: number | undefined): void
  watchers(path: string): number
  connections(): number
  cutConnections(): void
  close(): Promise<void>
}

export async function startFakeApiServer(port = 0): Promise<FakeApiServer> {
  const lists = new Map<string, readonly JsonObject[]>()
  const watches = new Map<string, Set<ServerResponse>>()
  const sockets = new Set<Socket>()
  const requests: string[] = []
  let failure: number | undefined
  let version = 1

  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://x')
    requests.push(`${url.pathname}${url.search}`)
    const objects = lists.get(url.pathname)
    if (failure !== undefined || objects === undefined) {
      answerStatus(response, failure ?? 404)
      return
    }
    if (url.searchParams.get('watch') !== 'true') {
      answerList(response, url, objects, version)
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watching = watches.get(url.pathname) ?? new Set()
    watches.set(url.pathname, watching.add(response))
    response.once('close', () => watching.delete(response))
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const sendLine = (path: string, line: string) => {
    for (const watcher of watches.get(path) ?? []) watcher.write(`${line}\n`)
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    set(path, objects) {
      version++
      lists.set(path, objects)
    },
    forget(path) {
      lists.delete(path)
      for (const watcher of watches.get(path) ?? []) watcher.end()
    },
    send: (path, type, object) => sendLine(path, JSON.stringify({ type, object })),
    sendLine,
    failWith(status) {
      failure = status
    },
    watchers: (path) => watches.get(path)?.size ?? 0,
    connections: () => sockets.size,
    cutConnections() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerStatus(response: ServerResponse, code: number): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', code, message: `the fake says ${code}` }))
}

/** Two objects a page, whatever `limit` says. */
function answerList(response: ServerResponse, url: URL, objects: readonly JsonObject[], version: number): void {
  const start = Number(url.searchParams.get('continue') ?? 0)
  const end = start + 2
  const metadata = { resourceVersion: String(version), ...(end < objects.length ? { continue: String(end) } : {}) }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'List', metadata, items: objects.slice(start, end) }))
}
