/**
 * Names of emitted objects. Different inputs never get the same name: parts are joined by a dot, which the first part cannot
 * contain, and a name that was shortened or altered ends in a hash of the original.
 */
const MAX_LABEL = 63
const MAX_SUBDOMAIN = 253

/** A DNS label, for names that may have no dots: a Gateway's is one (`pkg/config/validation`, ValidateGateway). */
export function labelName(name: string): string {
  return fitted(name, slug(name, /[^a-z0-9-]+/g), MAX_LABEL)
}

/** `web.shop.example.com-http`, for the objects of one host of an Ingress. */
export function hostName(ingress: string, host: string, ...suffixes: readonly string[]): string {
  const plain = [`${ingress}.${host}`, ...suffixes].join('-')
  const name = ingress.includes('.') ? `${ingress.replaceAll('.', '-')}.${host}` : `${ingress}.${host}`
  return fitted(plain, slug([name, ...suffixes].join('-'), /[^a-z0-9.-]+/g), MAX_SUBDOMAIN)
}

/** `shop.web-sources`, for objects in the gateway's namespace, where those of all namespaces meet. */
export function scopedName(namespace: string, name: string, suffix: string): string {
  const plain = `${namespace}.${name}-${suffix}`
  return fitted(plain, slug(plain, /[^a-z0-9.-]+/g), MAX_SUBDOMAIN)
}

/**
 * The secret's name in the gateway's namespace (docs/facts/istio-gateway.md#tls-secrets). `shop/tls` becomes `shop-tls`. With
 * a dash or a dot in either part, that could mean two secrets, so `shop-a/tls` becomes `shop-a.tls`.
 */
export function credentialName(namespace: string, secret: string): string {
  const isClear = !/[-.]/.test(`${namespace}${secret}`)
  const plain = `${namespace}${isClear ? '-' : '.'}${secret}`
  return fitted(plain, plain, MAX_SUBDOMAIN)
}

/** Returns the name of an Ingress' authorization service in `meshConfig.extensionProviders`. */
export function authProviderName(namespace: string, ingress: string): string {
  return `${namespace}.${ingress}`
}

function slug(text: string, illegal: RegExp): string {
  return text
    .toLowerCase()
    .replaceAll('*', 'wildcard')
    .replace(illegal, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
}

/** With a hash of what was asked for, unless it is what was made of it. */
function fitted(plain: string, name: string, limit: number): string {
  if (name === plain && name.length <= limit) return name
  return `${name.slice(0, limit - 7).replace(/[-.]+$/, '')}-${hash(plain)}`
}

/** FNV-1a, 32 bits, in six base-36 digits: short, stable, and no cryptography is needed to tell names apart. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return value.toString(36).padStart(6, '0').slice(-6)
}
