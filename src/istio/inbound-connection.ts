/**
 * What a sidecar does with a connection to a redirected port (docs/facts/mtls-modes.md#filter-chains;
 * `pilot/pkg/networking/core/filterchain_options.go`).
 */
import type { Mode } from './declared-policy.ts'

/** `tls`: TLS without a mesh certificate, as kubelet's HTTPS probes speak it. */
export type InboundClient = 'plaintext' | 'tls' | 'mutual-tls'

/**
 * | mode       | plaintext | mutual TLS              | other TLS               |
 * |------------|-----------|-------------------------|-------------------------|
 * | STRICT     | no        | yes                     | no                      |
 * | PERMISSIVE | yes       | yes                     | not on HTTP ports       |
 * | DISABLE    | yes       | not on HTTP ports       | not on HTTP ports       |
 *
 * An HTTP port is one whose Service declares an HTTP protocol; on any other, TLS bytes pass through as they are.
 */
export function acceptsConnection(mode: Mode, isHttpPort: boolean, client: InboundClient): boolean {
  if (mode === 'STRICT') return client === 'mutual-tls'
  if (client === 'plaintext') return true
  return !isHttpPort || (mode === 'PERMISSIVE' && client === 'mutual-tls')
}
