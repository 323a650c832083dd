/** Host names in Ingresses and Gateways. */

import { readAddress } from '../../kubernetes/ip-address.ts'
import type { Target } from './conversion-options.ts'

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** istiod rejects it (`ValidateFQDN`), and no such domain exists: https://www.rfc-editor.org/rfc/rfc3696#section-2 */
const NUMERIC_TOP_LEVEL = /(?:^|\.)\d+$/

/** Returns why a name cannot be a host, or undefined. Istio's validation rejects names without a dot. */
export function hostProblem(host: string, target: Target): string | undefined {
  if (isAddress(host) || host.includes(':')) return 'is an IP address or contains a port; a host must be a DNS name'
  if (host.length > 253 || !HOST.test(host) || NUMERIC_TOP_LEVEL.test(host)) return 'is not a DNS name'
  if (target === 'istio' && !host.includes('.'))
    return 'is a short name, which Istio rejects; use a fully qualified one'
  return undefined
}

/** Whether an entry that may be a name or an address is an address. */
export function isAddress(host: string): boolean {
  return readAddress(host) !== undefined
}

/** Istio's wildcards cover any number of labels (`pkg/config/host`). */
export function isCoveredByWildcard(host: string, wildcard: string): boolean {
  return wildcard !== host && wildcard.startsWith('*') && host.endsWith(wildcard.slice(1))
}

/** Returns the names of a certificate that cover a host: its own, and the wildcard for its first label. */
export function coveringNames(host: string): readonly string[] {
  return host.includes('.') && !host.startsWith('*.') ? [host, `*${host.slice(host.indexOf('.'))}`] : [host]
}

/** Returns `www.example.com` for `example.com`, and vice versa. */
export function otherWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`
}
