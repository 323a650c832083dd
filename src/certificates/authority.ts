/** Reads certificates and authorities from PEM. */
import { createPrivateKey, X509Certificate } from 'node:crypto'

export interface TrustedCertificate {
  readonly pem: string
  /** SHA-256 of the certificate, which identifies it. */
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
}

/** An authority that can sign. */
export interface Authority extends TrustedCertificate {
  /** PEM */
  readonly key: string
}

/** A bundle is written by others as well, so it is bounded before it is parsed. */
const MOST_CERTIFICATES = 50
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,20000}-----END CERTIFICATE-----/g

/** Returns the certificates of a bundle, each once. Text that is not a certificate is left out. */
export function readCertificates(bundle: string): readonly TrustedCertificate[] {
  const blocks = bundle.match(PEM_BLOCK)?.slice(0, MOST_CERTIFICATES) ?? []
  const read = blocks.flatMap((block) => readCertificate(block) ?? [])
  return [...new Map(read.map((certificate) => [certificate.fingerprint, certificate])).values()]
}

/** Returns the authority, or why the pair cannot sign certificates. */
export function readAuthority(certificate: string, key: string): Authority | string {
  const parsed = parse(certificate)
  if (parsed === undefined) return 'the certificate is not PEM'
  if (!parsed.ca) return 'the certificate is not an authority'
  try {
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return 'the key is of another certificate'
  } catch {
    return 'the key is not PEM'
  }
  return { ...describe(parsed), key }
}

export function isValid({ notBefore, notAfter }: TrustedCertificate, now: number): boolean {
  return notBefore <= now && now < notAfter
}

/** Returns the certificates as one PEM bundle. */
export function bundleOf(certificates: readonly TrustedCertificate[]): string {
  return certificates.map(({ pem }) => pem).join('')
}

function readCertificate(pem: string): TrustedCertificate | undefined {
  const parsed = parse(pem)
  return parsed && describe(parsed)
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function describe(certificate: X509Certificate): TrustedCertificate {
  const { fingerprint256, validFrom, validTo } = certificate
  return {
    pem: certificate.toString(),
    fingerprint: fingerprint256,
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
  }
}
