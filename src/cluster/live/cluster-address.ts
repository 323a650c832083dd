/** Where the API server is, and who we are to it. */
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Dispatcher } from 'undici'
import { InputError } from '../../errors.ts'
import { addressOfPod, POD_CREDENTIALS } from './pod-address.ts'

export interface ClusterAddress {
  /** `https://10.96.0.1:443`, without a slash at the end. */
  readonly server: string
  /** The namespace of the context; undefined where it names none. */
  readonly namespace: string | undefined
  /** What a request of now carries. Throws where it cannot be had, be it for a while only. */
  credentials(): Promise<Credentials>
  /** Called after a failure: what was kept of the credentials may be the reason. */
  forget(): void
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** Connections that know the cluster's authority, our certificate and the proxy between. */
  connect(): Dispatcher
}

/**
 * As kubectl finds it: KUBECONFIG, ~/.kube/config, the pod's service account. Throws InputError where there is none of
 * them, or the kubeconfig cannot be used.
 */
export async function findCluster(context?: string): Promise<ClusterAddress> {
  if (await hasKubeconfig()) {
    // client-node is half of this process's memory, so it is loaded where a kubeconfig is read and nowhere else.
    const { addressOfKubeconfig } = await import('./kubeconfig-address.ts')
    return await addressOfKubeconfig(context)
  }
  if (context !== undefined) throw new InputError('cluster-not-found', [`--context ${context}: there is no kubeconfig`])
  if (await exists(join(POD_CREDENTIALS, 'token'))) return await addressOfPod(POD_CREDENTIALS, process.env)
  throw new InputError('cluster-not-found', [
    'no cluster: there is no kubeconfig (KUBECONFIG, ~/.kube/config) and no service account; --from PATH reads manifests',
  ])
}

async function hasKubeconfig(): Promise<boolean> {
  return (process.env['KUBECONFIG'] ?? '') !== '' || (await exists(join(homedir(), '.kube', 'config')))
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}
