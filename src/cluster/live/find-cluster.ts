/** Finds the cluster that kubectl would find. */
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import type { ClusterAddress } from './cluster-address.ts'
import { addressOfPod, POD_CREDENTIALS } from './pod-address.ts'

/**
 * Tries KUBECONFIG, ~/.kube/config and the pod's service account, in that order. Throws InputError if none exists, or
 * if the kubeconfig cannot be used.
 */
export async function findCluster(context?: string): Promise<ClusterAddress> {
  if (await hasKubeconfig()) {
    // client-node takes half of this process's memory, so it is loaded only to read a kubeconfig.
    const { addressOfKubeconfig } = await import('./kubeconfig-address.ts')
    return await addressOfKubeconfig(context)
  }
  if (context !== undefined) throw new InputError('cluster-not-found', [`--context ${context}: there is no kubeconfig`])
  if (await exists(join(POD_CREDENTIALS, 'token'))) return await addressOfPod(POD_CREDENTIALS, process.env)
  throw new InputError('cluster-not-found', [
    'no cluster: there is no kubeconfig (KUBECONFIG, ~/.kube/config) and no service account. Set KUBECONFIG, or give manifests: --from PATH, or for convert -f PATH',
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
