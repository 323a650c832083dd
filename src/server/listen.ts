/** Makes a server listen, or explains why it cannot. */
import type { FastifyInstance } from 'fastify'
import { codeOf, InputError, messageOf } from '../errors.ts'

/** `HOST:PORT` of `--listen` and `--metrics`. Host `::` means every address; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Throws InputError, naming the flag, if the server cannot listen on the address. */
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
  if (code === 'EADDRINUSE') return 'the port is in use; give another port, or 0 for any'
  if (code === 'EACCES') return 'this user may not listen on ports below 1024; give a higher port'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address'
  return messageOf(error)
}
