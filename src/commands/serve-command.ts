/** The flags of `istio-onramp serve`. serve.ts implements the command. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ListenAddress } from '../server/listen.ts'
import type { ClusterFlags } from './load-cluster.ts'
import type { ClusterOption } from './open-cluster.ts'
import type { TlsSource } from './serve.ts'
import { configurationOf, contextOption, fromOption } from './shared-options.ts'

interface ServeFlags extends ClusterFlags {
  readonly config?: string
  readonly listen: ListenAddress
  readonly metrics: ListenAddress
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsSelfManaged?: boolean
  readonly tlsSelfSigned?: boolean
  readonly tlsCaOut?: string
  readonly clientCa?: string
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('Run the admission webhook.')
    .option('--config <file>', 'configuration file (YAML); changes of rules and log level take effect at once')
    .addOption(fromOption())
    .addOption(contextOption())
    .addOption(
      new Option('--listen <host:port>', 'address of the webhook (HTTPS)')
        .default({ host: '::', port: 8443 }, ':8443')
        .argParser(listenAddress),
    )
    .addOption(
      new Option('--metrics <host:port>', 'address of /metrics (plain HTTP)')
        .default({ host: '::', port: 9090 }, ':9090')
        .argParser(listenAddress),
    )
    .option('--tls-cert <file>', 'serving certificate (PEM), reloaded when it changes')
    .option('--tls-key <file>', 'private key of the serving certificate (PEM)')
    .option('--tls-self-managed', 'keep a certificate authority in the cluster and its caBundle current')
    .option('--tls-self-signed', 'create a certificate for this run')
    .option('--tls-ca-out <file>', 'write the CA of --tls-self-signed to this file (PEM)')
    .option('--client-ca <file>', 'accept reviews only from clients with a certificate of this CA (PEM)')
    .action(async (flags: ServeFlags, command: Command) => {
      const tls = tlsSource(flags, command)
      const configuration = await configurationOf(flags.config)
      const cluster = await clusterOption(flags)
      const { serve } = await import('./serve.ts')
      const { config, listen, metrics, clientCa } = flags
      await serve({ configuration, configurationFile: config, cluster, listen, metrics, tls, clientCaFile: clientCa })
    })
}

/** Reads `127.0.0.1:8443`, `[::1]:8443`, or `:8443` for every address. */
function listenAddress(text: string): ListenAddress {
  const [, ipv6, host = '', port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65535)
    throw new InvalidArgumentError('HOST:PORT is expected, for example 127.0.0.1:8443 or :8443.')
  return { host: ipv6 ?? (host === '' ? '::' : host), port: Number(port) }
}

function tlsSource(flags: ServeFlags, command: Command): TlsSource {
  const { tlsCert, tlsKey, tlsSelfManaged, tlsSelfSigned, tlsCaOut } = flags
  const isManaged = tlsSelfManaged === true
  const isSelfSigned = tlsSelfSigned === true
  const hasFile = tlsCert !== undefined || tlsKey !== undefined
  if (tlsCert !== undefined && tlsKey !== undefined && !isManaged && !isSelfSigned && tlsCaOut === undefined)
    return { kind: 'files', files: { cert: tlsCert, key: tlsKey } }
  if (isSelfSigned && !hasFile && !isManaged) return { kind: 'self-signed', caOut: tlsCaOut }
  if (!isManaged || isSelfSigned || hasFile || tlsCaOut !== undefined)
    return command.error(
      'error: use --tls-cert FILE with --tls-key FILE, or --tls-self-managed, or --tls-self-signed [--tls-ca-out FILE]',
    )
  if (flags.from === undefined) return { kind: 'self-managed' }
  return command.error('error: --tls-self-managed needs a cluster, so it cannot be used with --from')
}

async function clusterOption({ from, context }: ClusterFlags): Promise<ClusterOption> {
  if (from === undefined) {
    const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
    return { kind: 'live', api: await connectToCluster(context) }
  }
  const { clusterFromFiles } = await import('../cluster/cluster-from-files.ts')
  return { kind: 'manifests', state: await clusterFromFiles(from) }
}
