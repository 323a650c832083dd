/**
 * How a sidecar handles a connection to a redirected port (docs/facts/mtls-modes.md#filter-chains;
 * `pilot/pkg/networking/core/filterchain_options.go`).
 */
import type { Mode } from '../../../src/istio/declared-policy.ts'

/** `tls`: TLS without a mesh certificate, as in kubelet's HTTPS probes. */
export type InboundClient = 'plaintext' | 'tls' | 'mutual-tls'

/**
 * | mode       | plaintext | mutual TLS              | other TLS               |
 * |------------|-----------|-------------------------|-------------------------|
 * | STRICT     | no        | yes                     | no                      |
 * | PERMISSIVE | yes       | yes                     | not on HTTP ports       |
 * | DISABLE    | yes       | not on HTTP ports       | not on HTTP ports       |
 *
 * An HTTP port is one whose Service declares an HTTP protocol. On any other port, TLS bytes pass through unchanged.
 */
export function acceptsConnection(mode: Mode, isHttpPort: boolean, client: InboundClient): boolean {
  if (mode === 'STRICT') return client === 'mutual-tls'
  if (client === 'plaintext') return true
  return !isHttpPort || (mode === 'PERMISSIVE' && client === 'mutual-tls')
}
