/**
 * IP addresses and CIDR prefixes as Go's `net/netip` reads them (https://pkg.go.dev/net/netip#ParseAddr, ParsePrefix).
 * Kubernetes and Istio validate them with it. ipaddr.js alone also accepts `10.0.0.0/08`, `::1/064` and
 * `::ffff:01.2.3.4`. `npm run differential:syntax` compares both functions with Go.
 */
import ipaddr from 'ipaddr.js'

export interface IpAddress {
  readonly family: 4 | 6
  /** The interface in `fe80::1%eth0`; empty if none is given. */
  readonly zone: string
}

export interface IpPrefix {
  readonly family: 4 | 6
  /** The prefix length, from 0 to 32 or 128. */
  readonly bits: number
}

/** `0000:0000:0000:0000:0000:ffff:255.255.255.255`. Longer texts never reach a regular expression. */
const LONGEST = 45

/** Returns undefined for anything that `netip.ParseAddr` refuses, such as a leading zero. */
export function readAddress(text: string): IpAddress | undefined {
  // Most texts are host names, for which ipaddr.js is slow.
  if (!text.includes(':') && !/^[\d.]+$/.test(text)) return undefined
  if (isIPv4(text)) return { family: 4, zone: '' }
  const percent = text.indexOf('%')
  const address = percent === -1 ? text : text.slice(0, percent)
  const zone = percent === -1 ? '' : text.slice(percent + 1)
  if (!isIPv6(address) || (percent !== -1 && zone === '')) return undefined
  return { family: 6, zone }
}

/** Returns undefined for anything that `netip.ParsePrefix` refuses. Bits after the prefix length are allowed. */
export function readPrefix(text: string): IpPrefix | undefined {
  const slash = text.lastIndexOf('/')
  const address = slash === -1 ? undefined : readAddress(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (address === undefined || address.zone !== '' || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
  const bits = Number(length)
  return bits <= (address.family === 4 ? 32 : 128) ? { family: address.family, bits } : undefined
}

function isIPv4(text: string): boolean {
  return text.length <= LONGEST && ipaddr.IPv4.isValidFourPartDecimal(text)
}

function isIPv6(text: string): boolean {
  if (text.length > LONGEST || !/^[\da-f:.]+$/i.test(text) || !ipaddr.IPv6.isValid(text)) return false
  if (text.split(':').some((group) => !group.includes('.') && group.length > 4)) return false
  const tail = text.slice(text.lastIndexOf(':') + 1)
  return !tail.includes('.') || isIPv4(tail)
}
