/** Names of hosts, as Ingress and Gateway have them. */

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** Why a name cannot be a host; undefined where it can. */
export function hostProblem(host: string): string | undefined {
  if (/^[\d.]+$/.test(host) || host.includes(':')) return 'is an address or names a port; a host has to be a DNS name'
  if (host.length > 253 || !HOST.test(host)) return 'is no DNS name'
  return undefined
}

/** Whether a certificate for `pattern` is one for `host`: equal, or `*.` for exactly one label. */
export function coversHost(pattern: string, host: string): boolean {
  return pattern === host || (pattern.startsWith('*.') && host.slice(host.indexOf('.')) === pattern.slice(1))
}

/** `www.example.com` for `example.com`, and the other way round. */
export function otherWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`
}
