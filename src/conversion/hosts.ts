/** Names of hosts, as Ingress and Gateway have them. */

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** Why a name cannot be a host; undefined where it can. */
export function hostProblem(host: string): string | undefined {
  if (/^[\d.]+$/.test(host) || host.includes(':')) return 'is an address or names a port; a host has to be a DNS name'
  if (host.length > 253 || !HOST.test(host)) return 'is no DNS name'
  return undefined
}

/** The names that a certificate for a host can have: its own, and `*.` for its first label. */
export function coveringNames(host: string): readonly string[] {
  return host.includes('.') && !host.startsWith('*.') ? [host, `*${host.slice(host.indexOf('.'))}`] : [host]
}

/** `www.example.com` for `example.com`, and the other way round. */
export function otherWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`
}
