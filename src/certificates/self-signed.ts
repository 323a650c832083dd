/** A certificate authority and a serving certificate created on the fly, for development, the demo and tests. */
import { createAuthority, signCertificate } from './issue.ts'

export interface SelfSigned {
  /** PEM of the authority that clients must trust. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Creates ECDSA P-256 keys, valid for `days` from `now`; `hosts` are DNS names and addresses. */
export async function createSelfSigned(
  hosts: readonly string[],
  now: Date,
  days = 30,
  use: 'server' | 'client' = 'server',
): Promise<SelfSigned> {
  const validity = { notBefore: new Date(now.getTime() - DAY_MS), notAfter: new Date(now.getTime() + days * DAY_MS) }
  const authority = await createAuthority('istio-onramp development CA', validity)
  const leaf = await signCertificate(authority, hosts, validity, use)
  return { ca: authority.certificate, cert: leaf.certificate, key: leaf.key }
}
