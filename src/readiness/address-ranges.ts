/** CIDR lists in Istio's outbound annotations, and whether they contain an address. */
import ipaddr from 'ipaddr.js'

export interface AddressRanges {
  /** Whether an IPv4 or IPv6 address is in one of the ranges; false if the text is not an address. */
  has(address: string): boolean
  readonly isEmpty: boolean
}

/** `*` contains every address. Malformed entries contain nothing: Istio refuses the pod. */
export function parseRanges(text: string): AddressRanges {
  if (text.trim() === '*') return { has: () => true, isEmpty: false }
  const ranges = text.split(',').flatMap((entry) => {
    const trimmed = entry.trim()
    return ipaddr.isValidCIDR(trimmed) ? [ipaddr.parseCIDR(trimmed)] : []
  })
  return {
    isEmpty: ranges.length === 0,
    has(address) {
      if (!ipaddr.isValid(address)) return false
      const parsed = ipaddr.parse(address)
      return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
    },
  }
}

export function isAddress(text: string): boolean {
  return ipaddr.isValid(text) && (text.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(text))
}
