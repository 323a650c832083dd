import type { FastifyInstance } from 'fastify'
import { codeOf, InputError, messageOf } from '../errors.ts'

/** `HOST:PORT` of `--listen` and `--metrics`: `127.0.0.1:8443`, `[::1]:8443`, `:8443` for every address. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Undefined where the text is none. Port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  if (found === null) return undefined
  const port = Number(found[3])
  const host = found[1] ?? found[2] ?? ''
  return port <= 65535 ? { host: host === '' ? '::' : host, port } : undefined
}

/** Throws InputError, naming the flag, where nothing can listen there. */
export async function listenAt(app: FastifyInstance, flag: string, address: ListenAddress): Promise<void> {
  try {
    await app.listen(address)
  } catch (error) {
    throw new InputError('address-unusable', [
      `${flag}: cannot listen on port ${address.port} of ${address.host}: ${whyNot(error)}`,
    ])
  }
}

function whyNot(error: unknown): string {
  const code = codeOf(error)
  if (code === 'EADDRINUSE') return 'something else listens there; give another port, or 0 for any'
  if (code === 'EACCES') return 'ports below 1024 need a right that this user lacks; give a higher one'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return messageOf(error)
}
