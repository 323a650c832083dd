/** Names of emitted objects. A Gateway's name is a DNS label, while an Ingress' may have dots and 253 characters. */
const MAX_LABEL = 63

/** A DNS-1123 label from any texts; where something had to be cut or replaced, a hash keeps different inputs apart. */
export function labelName(...parts: readonly string[]): string {
  const plain = parts.join('-')
  const slug = plain
    .toLowerCase()
    .replaceAll('*', 'wildcard')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  if (slug === plain && slug.length <= MAX_LABEL) return slug
  return `${slug.slice(0, MAX_LABEL - 7).replace(/-+$/, '')}-${hash(plain)}`
}

/** A DNS-1123 subdomain, for kinds whose names may have dots and 253 characters. */
export function subdomainName(...parts: readonly string[]): string {
  const plain = parts.join('-').replaceAll('*', 'wildcard')
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(plain) && plain.length <= 253 ? plain : labelName(...parts)
}

/** The secret's name in the gateway's namespace: `shop/tls` and `pay/tls` must not meet there (spec/ingress.md 3.1). */
export function credentialName(namespace: string, secret: string): string {
  return `${namespace}-${secret}`.length <= 253 ? `${namespace}-${secret}` : labelName(namespace, secret)
}

/** FNV-1a, 32 bits, in six base-36 digits: short, stable, and no cryptography is needed to tell names apart. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return value.toString(36).padStart(6, '0').slice(-6)
}
