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
