// An API server as far as lists and watches go, over real sockets, with every way of failing that the live source has to
// bear. Unknown paths answer 404, as for a kind that the cluster does not have.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { JsonObject } from '../../src/kubernetes/json.ts'

export interface FakeApiServer {
  readonly url: string
  readonly requests: string[]
  /** Objects listed at a path; the kind exists from then on. */
  set(path: string, objects: readonly JsonObject[]): void
  forget(path: string): void
  /** Sends an event to the watchers of the path, without changing what is listed. */
  send(path: string, type: string, object: JsonObject): void
  sendLine(path: string, line: string): void
  /** Every request is answered with this status, or with this body and 200, until it is undefined again. */
  failWith(answer: number | JsonObject | undefined): void
  /** Requests that come without this token are answered 401. */
  demand(token: string): void
  /** Every answer waits for this many milliseconds. */
  delay(milliseconds: number): void
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
  let failure: number | JsonObject | undefined
  let demanded: string | undefined
  let waits = 0
  let version = 1

  /** What is answered in place of a list or a watch: a status, or a body. */
  const answerInPlace = (pathname: string, authorization: string | undefined): number | JsonObject | undefined => {
    if (failure !== undefined) return failure
    if (demanded !== undefined && authorization !== `Bearer ${demanded}`) return 401
    return discovery(pathname, [...lists.keys()]) ?? (lists.has(pathname) ? undefined : 404)
  }
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request.url ?? '/')
    if (waits === 0) answer(request, response)
    else setTimeout(() => answer(request, response), waits).unref()
  })
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://x')
    const instead = answerInPlace(url.pathname, request.headers.authorization)
    if (typeof instead === 'number') {
      answerJson(response, instead, { kind: 'Status', message: `the fake says ${instead}` })
      return
    }
    if (instead !== undefined || url.searchParams.get('watch') !== 'true') {
      answerJson(response, 200, instead ?? listPage(url, lists.get(url.pathname) ?? [], version))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watching = watches.get(url.pathname) ?? new Set()
    watches.set(url.pathname, watching.add(response))
    response.once('close', () => watching.delete(response))
  }
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
    failWith(answer) {
      failure = answer
    },
    demand(token) {
      demanded = token
    },
    delay(milliseconds) {
      waits = milliseconds
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

/** `/apis` and `/apis/GROUP/VERSION`, for the kinds whose paths are known. */
function discovery(asked: string, paths: readonly string[]): JsonObject | undefined {
  const known = paths.map((path) => path.split('/')).filter(([, root]) => root === 'apis')
  if (asked === '/apis') {
    const groups = new Set(known.map(([, , group = '', version = '']) => `${group}/${version}`))
    return { kind: 'APIGroupList', groups: [...groups].map((groupVersion) => describeGroup(groupVersion)) }
  }
  const resources = known
    .filter((path) => path.slice(0, 4).join('/') === asked)
    .map((path) => ({ name: path[4] ?? '' }))
  return resources.length === 0 ? undefined : { kind: 'APIResourceList', resources }
}

function describeGroup(groupVersion: string): JsonObject {
  const [name = '', version = ''] = groupVersion.split('/')
  return { name, versions: [{ groupVersion, version }] }
}

/** Two objects a page, whatever `limit` says. */
function listPage(url: URL, objects: readonly JsonObject[], version: number): JsonObject {
  const start = Number(url.searchParams.get('continue') ?? 0)
  const end = start + 2
  const metadata = { resourceVersion: String(version), ...(end < objects.length ? { continue: String(end) } : {}) }
  return { kind: 'List', metadata, items: objects.slice(start, end) }
}

function answerJson(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
