/** The cluster that this pod runs in, through its service account. */
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { Agent } from 'undici'
import { InputError } from '../../errors.ts'
import type { ClusterAddress } from './cluster-address.ts'

/** The folder in which kubelet keeps `token`, `ca.crt` and `namespace` current. */
export const POD_CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount'

/** `environment` contains kubelet's variables for the Service `kubernetes`. Throws InputError if they are missing. */
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
    // Tokens live for an hour and the authority may change, so both are read each time and never cached.
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
