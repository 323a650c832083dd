/** The address of the API server and the identity of our requests. */
import type { Dispatcher } from 'undici'

export interface ClusterAddress {
  /** `https://10.96.0.1:443`, without a trailing slash. */
  readonly server: string
  /** The namespace of the context; undefined if it names none. */
  readonly namespace: string | undefined
  /** Returns the credentials for a request sent now. Throws if they are unavailable, even temporarily. */
  credentials(): Promise<Credentials>
  /** Called after a failure that cached credentials may have caused. */
  forget(): void
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** Opens connections that use the cluster's authority, the client certificate and the proxy. */
  connect(): Dispatcher
}
