/**
 * A PeerAuthentication as it is written (https://istio.io/latest/docs/reference/config/security/peer_authentication/).
 */
export const MODES = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] as const
export type DeclaredMode = (typeof MODES)[number]
export type Mode = Exclude<DeclaredMode, 'UNSET'>

export interface PeerAuthentication {
  readonly namespace: string
  readonly name: string
  /** Milliseconds since the epoch; infinity where the manifest has none: it is the newest. One second is the resolution of the real thing. */
  readonly createdAt: number
  /** Label `istio.io/rev`: invisible to every other revision, tags included. */
  readonly revision: string | undefined
  /** `selector.matchLabels`; empty means the whole namespace, or the mesh in the root namespace. */
  readonly matchLabels: ReadonlyMap<string, string>
  readonly mode: DeclaredMode
  readonly portLevel: ReadonlyMap<number, DeclaredMode>
}
