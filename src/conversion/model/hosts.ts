/** Names of hosts, as Ingress and Gateway have them. */

import type { Target } from './conversion-options.ts'

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** Why a name cannot be a host; undefined where it can. Istio's validation refuses names without a dot. */
export function hostProblem(host: string, target: Target): string | undefined {
  if (isAddress(host)) return 'is an address or names a port; a host has to be a DNS name'
  if (host.length > 253 || !HOST.test(host)) return 'is no DNS name'
  if (target === 'istio' && !host.includes('.'))
    return 'is a short name, which Istio refuses; a Gateway needs a full one'
  return undefined
}

/** IPv4 or IPv6, where a name has to be one of both; no DNS name ends in a number, or has a colon. */
export function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':')
}

/** Istio's wildcards cover any number of labels (`pkg/config/host`). */
export function isCoveredByWildcard(host: string, wildcard: string): boolean {
  return wildcard !== host && wildcard.startsWith('*') && host.endsWith(wildcard.slice(1))
}

/** The names that a certificate for a host can have: its own, and `*.` for its first label. */
export function coveringNames(host: string): readonly string[] {
  return host.includes('.') && !host.startsWith('*.') ? [host, `*${host.slice(host.indexOf('.'))}`] : [host]
}

/** `www.example.com` for `example.com`, and the other way round. */
export function otherWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`
}
