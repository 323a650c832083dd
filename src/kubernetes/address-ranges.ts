/** CIDR lists in Istio's outbound annotations, and whether they contain an address. */
import ipaddr from 'ipaddr.js'

export interface AddressRanges {
  /** Whether an IPv4 or IPv6 address is in one of the ranges; false if the text is not an address. */
  has(address: string): boolean
  readonly isEmpty: boolean
  /** Whether no range overlaps the private blocks that clusters use for Services and pods (RFC 1918, 4193, 6598). */
  readonly isPublic: boolean
}

/** `*` contains every address. Malformed entries contain nothing: Istio refuses the pod. */
export function parseRanges(text: string): AddressRanges {
  if (text.trim() === '*') return { has: () => true, isEmpty: false, isPublic: false }
  if (text.trim() === '') return { has: () => false, isEmpty: true, isPublic: true }
  const ranges = text.split(',').flatMap((entry) => {
    const trimmed = entry.trim()
    return ipaddr.isValidCIDR(trimmed) ? [ipaddr.parseCIDR(trimmed)] : []
  })
  return {
    isEmpty: ranges.length === 0,
    isPublic: ranges.every((range) => !PRIVATE.some((block) => overlap(range, block))),
    has(address) {
      if (!ipaddr.isValid(address)) return false
      const parsed = ipaddr.parse(address)
      return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
    },
  }
}

export function isAddress(text: string): boolean {
  return ipaddr.isValid(text)
}

type Cidr = ReturnType<typeof ipaddr.parseCIDR>

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map((block) =>
  ipaddr.parseCIDR(block),
)

function overlap([left, leftBits]: Cidr, [right, rightBits]: Cidr): boolean {
  if (left.kind() !== right.kind()) return false
  const bits = Math.min(leftBits, rightBits)
  return left.match(right, bits)
}
