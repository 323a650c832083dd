/** Creates certificate authorities and the certificates that they sign: ECDSA P-256, PEM. */
import 'reflect-metadata'
import { createPrivateKey, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { readAddress } from '../kubernetes/ip-address.ts'

/** A certificate with its private key, both PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * Creates an authority. The serial number is part of its name: clients that look up an authority by name alone would
 * otherwise confuse an old and a new one in the same bundle.
 */
export async function createAuthority(name: string, validity: Validity): Promise<Issued> {
  const keys = await generateKeys()
  const serialNumber = randomSerialNumber()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber,
    name: `CN=${name} ${serialNumber.slice(0, 8)}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** Signs a new key for `hosts`, which are DNS names and IP addresses. */
export async function signCertificate(
  authority: Issued,
  hosts: readonly string[],
  validity: Validity,
  use: 'server' | 'client' = 'server',
): Promise<Issued> {
  const keys = await generateKeys()
  const issuer = new x509.X509Certificate(authority.certificate)
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: randomSerialNumber(),
    subject: 'CN=istio-onramp',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName)),
      new x509.ExtendedKeyUsageExtension([
        use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function alternativeName(host: string): x509.JsonGeneralName {
  return { type: readAddress(host) === undefined ? 'dns' : 'ip', value: host }
}

/** A positive number, which DER would otherwise extend by a byte. */
function randomSerialNumber(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .replace(/^./, '1')
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

/** Node reads every PEM encoding of a key, WebCrypto only PKCS #8. */
async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const encoded = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return await webcrypto.subtle.importKey('pkcs8', encoded, ALGORITHM, false, ['sign'])
}
