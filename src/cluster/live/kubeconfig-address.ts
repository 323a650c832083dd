/** The cluster of a kubeconfig: tokens, client certificates, exec plugins and proxies are @kubernetes/client-node's. */
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node'
import { Agent } from 'undici'
import { InputError, messageOf } from '../../errors.ts'
import type { ClusterAddress, Credentials } from './cluster-address.ts'

/** Of the current context, or the one named. Throws InputError. */
export async function addressOfKubeconfig(context: string | undefined): Promise<ClusterAddress> {
  let config = load(context)
  let asking: Promise<Credentials> | undefined
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new InputError('cluster-not-found', [
      `kubeconfig: there is no current context with a cluster; --context takes ${contextsOf(config)}`,
    ])
  return {
    server: cluster.server.replace(/\/$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    // Many requests begin together, and an exec plugin is a process: they share one run.
    async credentials() {
      asking ??= ask(config, cluster.server).finally(() => (asking = undefined))
      return await asking
    },
    // client-node keeps what an exec plugin said for as long as that claims to hold, whether the server still takes it or not.
    forget() {
      try {
        config = load(context)
      } catch {
        // The kubeconfig is being written: the previous one stays in use.
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
