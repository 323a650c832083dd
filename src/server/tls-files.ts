/**
 * The serving certificate, re-read when its files change, without dropping a connection.
 *
 * kubelet replaces a mounted Secret by renaming the `..data` link. A watch on the file itself sees that once and never
 * again, so the folder is watched, and the content is also compared every minute
 * (docs/facts/operations.md#certificate-files).
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { watchFiles } from './watched-files.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export interface KeyPair {
  readonly cert: string
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Throws if a file cannot be read, or the certificate and key do not belong together. */
export async function readKeyPair({ cert, key }: TlsFiles): Promise<KeyPair> {
  const [certificate, privateKey] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')])
  return checkKeyPair(certificate, privateKey)
}

export function checkKeyPair(cert: string, key: string): KeyPair {
  createSecureContext({ cert, key })
  const { validFrom, validTo } = new X509Certificate(cert)
  return { cert, key, notBefore: new Date(validFrom), notAfter: new Date(validTo) }
}

/** Returns why clients would refuse the pair at `now`, whatever authority they trust; undefined if it is valid. */
export function validityProblem({ notBefore, notAfter }: KeyPair, now: Date): string | undefined {
  if (now > notAfter) return `the certificate expired on ${notAfter.toISOString()}`
  return now < notBefore ? `the certificate is not valid before ${notBefore.toISOString()}` : undefined
}

export interface CertificateEvents {
  readonly changed: (pair: KeyPair) => void
  /** The files changed but cannot be used, or the new pair is not valid now. The current pair stays. */
  readonly refused: (error: unknown) => void
}

/** Calls back for every change of the content. Returns a function that stops it. */
export function watchKeyPair(files: TlsFiles, current: KeyPair, events: CertificateEvents): () => void {
  let known = fingerprint(current)

  const reread = async (): Promise<void> => {
    try {
      const pair = await readKeyPair(files)
      if (fingerprint(pair) === known) return
      const problem = validityProblem(pair, new Date())
      if (problem !== undefined) throw new Error(problem)
      known = fingerprint(pair)
      events.changed(pair)
    } catch (error) {
      events.refused(error)
    }
  }
  return watchFiles([files.cert, files.key], reread, events.refused)
}

function fingerprint({ cert, key }: KeyPair): string {
  return cert + key
}
