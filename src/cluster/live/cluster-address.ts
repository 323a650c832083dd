/** Where the API server is, and the identity that requests carry. */
import type { Dispatcher } from 'undici'

export interface ClusterAddress {
  /** `https://10.96.0.1:443`, without a slash at the end. */
  readonly server: string
  /** The namespace of the context; undefined if it names none. */
  readonly namespace: string | undefined
  /** The credentials of a request sent now. Throws if they cannot be had, even if only for a while. */
  credentials(): Promise<Credentials>
  /** Called after a failure, which cached credentials may have caused. */
  forget(): void
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** Connections that know the cluster's authority, the client certificate and the proxy. */
  connect(): Dispatcher
}
