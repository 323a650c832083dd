/**
 * The cluster of a kubeconfig. @kubernetes/client-node handles tokens, client certificates, exec plugins and proxies.
 */
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node'
import { Agent } from 'undici'
import { InputError, messageOf } from '../../errors.ts'
import type { ClusterAddress, Credentials } from './cluster-address.ts'

/** Reads the current context, or the named one. Throws InputError. */
export async function addressOfKubeconfig(context: string | undefined): Promise<ClusterAddress> {
  let config = load(context)
  let asking: Promise<Credentials> | undefined
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new InputError('cluster-not-found', [
      `kubeconfig: the current context has no cluster; --context accepts ${contextsOf(config)}`,
    ])
  return {
    server: cluster.server.replace(/\/$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    // Many requests start at once and an exec plugin is a process, so they share one run.
    async credentials() {
      asking ??= ask(config, cluster.server).finally(() => (asking = undefined))
      return await asking
    },
    // client-node caches an exec plugin's credentials for their stated lifetime, even if the server no longer accepts
    // them.
    forget() {
      try {
        config = load(context)
      } catch {
        // The kubeconfig is being written: keep using the previous one.
      }
    },
  }
}

async function ask(config: KubeConfig, server: string): Promise<Credentials> {
  const call = new RequestContext(server, HttpMethod.GET)
  await config.applySecurityAuthentication(call)
  const dispatcher = call.getDispatcher()
  return { headers: call.getHeaders(), connect: () => dispatcher ?? new Agent() }
}

function load(context: string | undefined): KubeConfig {
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new InputError('cluster-not-found', [`kubeconfig: ${messageOf(error)}`])
  }
  if (context === undefined) return config
  if (config.getContextObject(context) === null)
    throw new InputError('cluster-not-found', [
      `--context ${context}: the kubeconfig has no such context; it has ${contextsOf(config)}`,
    ])
  config.setCurrentContext(context)
  return config
}

function contextsOf(config: KubeConfig): string {
  return config
    .getContexts()
    .map(({ name }) => name)
    .join(', ')
}
