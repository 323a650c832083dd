/** `istio-onramp serve`: wires configuration, cluster, certificate and server together, and takes them down again. */
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { pino, destination, type Logger } from 'pino'
import type { Configuration } from '../config.ts'
import { createDrain } from '../server/drain.ts'
import { createMetricsServer } from '../server/metrics-server.ts'
import { createMetrics, type Metrics } from '../server/metrics.ts'
import { checkKeyPair, readKeyPair, watchKeyPair, type KeyPair, type TlsFiles } from '../server/tls-files.ts'
import { createWebhookServer, useKeyPair } from '../server/webhook-server.ts'
import { openCluster, type ClusterOption } from './open-cluster.ts'
import { listenAt, type ListenAddress } from './listen-address.ts'

export type TlsSource =
  | { readonly kind: 'files'; readonly files: TlsFiles }
  | { readonly kind: 'self-signed'; readonly caOut: string | undefined }

export interface ServeOptions {
  readonly configuration: Configuration
  readonly cluster: ClusterOption
  readonly listen: ListenAddress
  readonly metrics: ListenAddress
  readonly tls: TlsSource
}

/**
 * Resolves once the server listens; the process then lives until a signal. Logs go to standard error. Throws InputError
 * where it cannot, and nothing of it goes on.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { configuration } = options
  const log = createLog(configuration)
  const metrics = createMetrics()
  const drain = createDrain(() => metrics.setDraining())
  const { keyPair, announce } = await obtainKeyPair(options)
  metrics.setCertificateExpiry(keyPair.notAfter)
  const cluster = openCluster(options.cluster, configuration, log, metrics.registry)
  const app = createWebhookServer({
    keyPair,
    limits: configuration.limits,
    log,
    drain,
    metrics,
    context() {
      const mesh = cluster.state()
      return mesh && { mesh, configuration: configuration.rules }
    },
    isReady: () => cluster.isSynced(),
  })
  const metricsApp = createMetricsServer(metrics)
  const stopWatching =
    options.tls.kind === 'files' ? followFiles(options.tls.files, keyPair, app, metrics, log) : () => undefined
  const stopRest = async (): Promise<void> => {
    stopWatching()
    await Promise.all([metricsApp.close(), cluster.stop()])
  }
  try {
    await listenAt(app, '--listen', options.listen)
    await listenAt(metricsApp, '--metrics', options.metrics)
    await announce()
  } catch (error) {
    // A process that goes on with half of its servers would look alive.
    await Promise.all([app.close(), stopRest()])
    throw error
  }
  log.info({ address: addressOf(app), metrics: addressOf(metricsApp) }, 'listening')
  const { drainSeconds } = configuration.shutdown
  closeWithGrace({ delay: (drainSeconds + 35) * 1000, logger: log }, async ({ err, signal }) => {
    if (err !== undefined) log.fatal({ err }, 'stopping: an error that nothing caught')
    // A person at a terminal does not wait for an API server to let go of its connections.
    const timing = signal === 'SIGTERM' ? configuration.shutdown : { drainSeconds: 0, idleSeconds: 0 }
    await drain.stop(app, timing)
    await stopRest()
    log.info('stopped')
    log.flush()
  })
}

/** Buffered, because a write for each review would cost more than the decision; a crash loses a quarter second at most. */
function createLog({ logLevel }: Configuration): Logger {
  const stream = destination({ fd: 2, sync: false, minLength: 4096 })
  setInterval(() => stream.flush(), 250).unref()
  return pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

interface ObtainedKeyPair {
  readonly keyPair: KeyPair
  /** Once the server listens: before, its file may still be that of another server. */
  readonly announce: () => Promise<void>
}

async function obtainKeyPair({ tls, listen }: ServeOptions): Promise<ObtainedKeyPair> {
  if (tls.kind === 'files') return { keyPair: await readKeyPair(tls.files), announce: () => Promise.resolve() }
  const { createSelfSigned } = await import('../certificates/self-signed.ts')
  const named = listen.host === '::' || listen.host === '0.0.0.0' ? [] : [listen.host]
  const hosts = new Set([...named, 'localhost', '127.0.0.1', '::1', 'istio-onramp.istio-onramp.svc'])
  const { ca, cert, key } = await createSelfSigned([...hosts], new Date())
  const announce = async (): Promise<void> => {
    if (tls.caOut !== undefined) await writeFile(tls.caOut, ca)
  }
  return { keyPair: checkKeyPair(cert, key), announce }
}

function followFiles(
  files: TlsFiles,
  keyPair: KeyPair,
  app: FastifyInstance,
  metrics: Metrics,
  log: Logger,
): () => void {
  return watchKeyPair(files, keyPair, {
    changed(pair) {
      useKeyPair(app, pair)
      metrics.countCertificateReload('loaded')
      metrics.setCertificateExpiry(pair.notAfter)
      log.info({ notAfter: pair.notAfter }, 'certificate reloaded')
    },
    refused(error) {
      metrics.countCertificateReload('refused')
      log.error({ err: error }, 'the certificate files cannot be used; the pair in force stays')
    },
  })
}

function addressOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`
}
