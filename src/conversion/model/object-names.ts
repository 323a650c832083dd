/**
 * Names of emitted objects. Different inputs never get the same name: parts are joined by a dot, which the first part
 * cannot contain, and a shortened or altered name ends in a hash of the original.
 */
import { trimBoth, trimEnd } from '../../kubernetes/trim-characters.ts'

const MAX_LABEL = 63
const MAX_SUBDOMAIN = 253

/** Returns a DNS label, for names without dots, such as a Gateway's (`pkg/config/validation`, ValidateGateway). */
export function labelName(name: string): string {
  return fitted(name, slug(name, /[^a-z0-9-]+/g), MAX_LABEL)
}

/** Returns `web.shop.example.com-http`, for the objects of one host of an Ingress. */
export function hostName(ingress: string, host: string, ...suffixes: readonly string[]): string {
  const plain = [`${ingress}.${host}`, ...suffixes].join('-')
  const name = ingress.includes('.') ? `${ingress.replaceAll('.', '-')}.${host}` : `${ingress}.${host}`
  return fitted(plain, slug([name, ...suffixes].join('-'), /[^a-z0-9.-]+/g), MAX_SUBDOMAIN)
}

/** Returns `shop.web-sources`, for objects in the gateway's namespace, which all namespaces share. */
export function scopedName(namespace: string, name: string, suffix: string): string {
  const plain = `${namespace}.${name}-${suffix}`
  return fitted(plain, slug(plain, /[^a-z0-9.-]+/g), MAX_SUBDOMAIN)
}

/**
 * Returns the secret's name in the gateway's namespace (docs/facts/istio-gateway.md#tls-secrets). `shop/tls` becomes
 * `shop-tls`. With a dash or a dot in either part that would be ambiguous, so `shop-a/tls` becomes `shop-a.tls`.
 */
export function credentialName(namespace: string, secret: string): string {
  const isClear = !/[-.]/.test(`${namespace}${secret}`)
  const plain = `${namespace}${isClear ? '-' : '.'}${secret}`
  return fitted(plain, plain, MAX_SUBDOMAIN)
}

/**
 * Returns the name of an authorization service in `meshConfig.extensionProviders`. Ingresses of one service share it,
 * because istiod denies every request if a workload has two providers. It has no dot, which istiod refuses since Istio
 * 1.30 (`invalid provider name: invalid character '.'`).
 */
export function authProviderName(host: string, port: number, path: string): string {
  return labelName(`${host}:${port}${path}`)
}

function slug(text: string, illegal: RegExp): string {
  return trimBoth(text.toLowerCase().replaceAll('*', 'wildcard').replace(illegal, '-'), '-.')
}

/** Appends a hash of the requested name unless the name is unchanged. */
function fitted(plain: string, name: string, limit: number): string {
  if (name === plain && name.length <= limit) return name
  return `${trimEnd(name.slice(0, limit - 7), '-.')}-${hash(plain)}`
}

/** FNV-1a, 32 bits, in six base-36 digits: short and stable. Distinguishing names needs no cryptography. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return value.toString(36).padStart(6, '0').slice(-6)
}
