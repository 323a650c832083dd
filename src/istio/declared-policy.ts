/** A PeerAuthentication as written (https://istio.io/latest/docs/reference/config/security/peer_authentication/). */
export const MODES = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] as const
export type DeclaredMode = (typeof MODES)[number]
export type Mode = Exclude<DeclaredMode, 'UNSET'>

export interface PeerAuthentication {
  readonly namespace: string
  readonly name: string
  /**
   * Milliseconds since the epoch; infinity if the manifest has none, so that it is the newest. The API server's
   * resolution is one second.
   */
  readonly createdAt: number
  /** Label `istio.io/rev`: other revisions, tags included, ignore the policy. */
  readonly revision: string | undefined
  /** `selector.matchLabels`; empty means the whole namespace, or the mesh in the root namespace. */
  readonly matchLabels: ReadonlyMap<string, string>
  readonly mode: DeclaredMode
  readonly portLevel: ReadonlyMap<number, DeclaredMode>
}
