/**
 * The authorities as the Secret holds them. Each key can be read with openssl:
 *
 * | key                    | content                                                            |
 * | ---------------------- | ------------------------------------------------------------------ |
 * | tls.crt, tls.key       | the authority that signs                                           |
 * | next.crt, next.key     | the authority that will sign once every API server trusts it       |
 * | retired.crt            | authorities that no longer sign but are still trusted              |
 * | retired-until          | RFC 3339, when these are dropped from the bundle                   |
 */
import { bundleOf, readAuthority, readCertificates, type Authority, type TrustedCertificate } from './authority.ts'

export interface Authorities {
  readonly signing: Authority
  readonly next: Authority | undefined
  readonly retired: readonly TrustedCertificate[]
  /** Milliseconds since 1970; 0 if none is retired. */
  readonly retiredUntil: number
}

/** Decoded values by key. */
export type SecretData = Readonly<Record<string, string>>

export type SecretContent =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly problem: string }
  | { readonly kind: 'authorities'; readonly authorities: Authorities }

/**
 * Reads the Secret; undefined means that there is none. Only the authority that signs is essential: a damaged `next` is
 * prepared once more, and a damaged `retired` is left out.
 */
export function readSecret(data: SecretData | undefined): SecretContent {
  if (data === undefined || Object.keys(data).length === 0) return { kind: 'absent' }
  const signing = readPair(data, 'tls')
  if (typeof signing === 'string') return { kind: 'unreadable', problem: `tls.crt, tls.key: ${signing}` }
  const next = readPair(data, 'next')
  const retired = readCertificates(data['retired.crt'] ?? '')
  const authorities = { signing, next: typeof next === 'string' ? undefined : next, retired }
  return { kind: 'authorities', authorities: { ...authorities, retiredUntil: untilOf(data, retired) } }
}

export function writeSecret({ signing, next, retired, retiredUntil }: Authorities): SecretData {
  const others = retired.length === 0 ? {} : retiredData(retired, retiredUntil)
  return {
    'tls.crt': signing.pem,
    'tls.key': signing.key,
    ...(next === undefined ? {} : { 'next.crt': next.pem, 'next.key': next.key }),
    ...others,
  }
}

function retiredData(retired: readonly TrustedCertificate[], until: number): SecretData {
  return { 'retired.crt': bundleOf(retired), 'retired-until': new Date(until).toISOString() }
}

function readPair(data: SecretData, name: string): Authority | string {
  return readAuthority(data[`${name}.crt`] ?? '', data[`${name}.key`] ?? '')
}

/** Without a readable time, each is trusted until it expires: trusting longer fails no call. */
function untilOf(data: SecretData, retired: readonly TrustedCertificate[]): number {
  if (retired.length === 0) return 0
  const until = Date.parse(data['retired-until'] ?? '')
  return Number.isNaN(until) ? Math.max(...retired.map(({ notAfter }) => notAfter)) : until
}
