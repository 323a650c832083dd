/** The cluster that this pod runs in, as its service account sees it. */
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { Agent } from 'undici'
import { InputError } from '../../errors.ts'
import type { ClusterAddress } from './cluster-address.ts'

/** Where kubelet keeps `token`, `ca.crt` and `namespace` up to date. */
export const POD_CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount'

/** `environment` holds what kubelet tells of the Service `kubernetes`. Throws InputError where it does not. */
export async function addressOfPod(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ClusterAddress> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment
  if (host === '' || port === '')
    throw new InputError('cluster-not-found', [
      `${folder} has a service account, but KUBERNETES_SERVICE_HOST and _PORT are not set`,
    ])
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: await readFile(join(folder, 'namespace'), 'utf8').catch(() => undefined),
    // Tokens live for an hour and the authority may change: both are read each time, never kept.
    async credentials() {
      const [token, ca] = await Promise.all(['token', 'ca.crt'].map((file) => readFile(join(folder, file), 'utf8')))
      return {
        headers: { authorization: `Bearer ${(token ?? '').trim()}` },
        connect: () => new Agent({ connect: { ca: ca ?? '', keepAlive: true, keepAliveInitialDelay: 30_000 } }),
      }
    },
    forget: () => undefined,
  }
}
