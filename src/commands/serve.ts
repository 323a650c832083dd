/** `istio-onramp serve`: connects configuration, cluster, certificate and servers, and stops them again. */
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import closeWithGrace, { type Options } from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import type { Configuration } from '../config.ts'
import { InputError, messageOf } from '../errors.ts'
import { createDrain } from '../server/drain.ts'
import { createLogStream, createLogTime, type LogStream } from '../server/log-stream.ts'
import { listenAt, type ListenAddress } from '../server/listen.ts'
import { createMetricsServer } from '../server/metrics-server.ts'
import { createMetrics, type Metrics } from '../server/metrics.ts'
import {
  checkKeyPair,
  readKeyPair,
  validityProblem,
  watchKeyPair,
  type KeyPair,
  type TlsFiles,
} from '../server/tls-files.ts'
import { createSwitchLog } from '../server/switches.ts'
import { createWebhookServer, useKeyPair, type TlsTerms } from '../server/webhook-server.ts'
import { keepGuardReady } from './ready-guard.ts'
import { DEBUG_SIGNAL, followSettings } from './serve-settings.ts'
import { openCluster, type ClusterOption } from './open-cluster.ts'

export type TlsSource =
  | { readonly kind: 'files'; readonly files: TlsFiles }
  | { readonly kind: 'self-managed' }
  | { readonly kind: 'self-signed'; readonly caOut: string | undefined }

export interface ServeOptions {
  readonly configuration: Configuration
  /** The file of `configuration`, which is watched; undefined for the defaults. */
  readonly configurationFile: string | undefined
  readonly cluster: ClusterOption
  readonly listen: ListenAddress
  readonly metrics: ListenAddress
  readonly tls: TlsSource
  /** PEM file with the authority of clients that may send reviews; undefined allows any client. */
  readonly clientCaFile: string | undefined
}

/**
 * Resolves once the server listens; the process then runs until a signal. Logs go to standard error. Throws InputError
 * and cleans up if it cannot start.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { configuration } = options
  const metrics = createMetrics()
  const lines = createLogStream({ ...LOG_STREAM, lost: (count) => metrics.countLostLogLines(count) })
  const log = createLog(configuration, lines)
  const switches = createSwitchLog(Date.now)
  const drain = createDrain(() => metrics.setDraining())
  const { keyPair, announce } = await obtainKeyPair(options)
  const terms = { ...configuration.tls, clientCa: await readClientCa(options.clientCaFile) }
  const inForce: InForce = { keyPair, problem: () => validityProblem(inForce.keyPair, new Date()) }
  const settings = followSettings(configuration, options.configurationFile, log, metrics)
  metrics.setCertificateExpiry(keyPair.notAfter)
  const problem = inForce.problem()
  if (problem !== undefined) log.error({ problem }, 'the certificate cannot be used; not ready until it is replaced')
  const cluster = openCluster(options.cluster, configuration, log, metrics.registry)
  const app = createWebhookServer({
    keyPair,
    tls: terms,
    limits: configuration.limits,
    log,
    drain,
    metrics,
    switches,
    context() {
      const mesh = cluster.state()
      return mesh && { mesh, configuration: settings.rules() }
    },
    notReady: () => inForce.problem() ?? (cluster.isSynced() ? undefined : 'the cluster has not been read yet'),
  })
  const metricsApp = createMetricsServer(metrics, switches)
  const stopCertificates = await followCertificates(options, { app, metrics, log, terms, inForce })
  const stopGuard = keepGuardReady(() => cluster.state(), configuration.rules)
  const stopRest = async (): Promise<void> => {
    stopGuard()
    settings.stop()
    await Promise.all([stopCertificates(), metricsApp.close(), cluster.stop()])
  }
  try {
    await listenAt(app, '--listen', options.listen)
    await listenAt(metricsApp, '--metrics', options.metrics)
    await announce()
  } catch (error) {
    // A process with only one of its servers would look healthy.
    await Promise.all([app.close(), stopRest()])
    throw error
  }
  log.info({ address: addressOf(app), metrics: addressOf(metricsApp) }, 'listening')
  const { drainSeconds } = configuration.shutdown
  const closing = { delay: (drainSeconds + 35) * 1000, logger: log, skip: [DEBUG_SIGNAL] } satisfies Options
  closeWithGrace(closing, async ({ err, signal }) => {
    if (err !== undefined) log.fatal({ err }, 'stopping after an uncaught error')
    // A Secret that an uninstall has just deleted must not be restored.
    void stopCertificates()
    // A user at a terminal should not wait for an API server to close its connections.
    const timing = signal === 'SIGTERM' ? configuration.shutdown : { drainSeconds: 0, idleSeconds: 0 }
    await drain.stop(app, timing)
    await stopRest()
    log.info('stopped')
    // A blocked write would delay the exit as well, so the process ends without it.
    if (!(await lines.flush(LAST_WRITE_MS))) process.kill(process.pid, 'SIGKILL')
  })
}

const LOG_STREAM = { fd: 2, mostBytes: 1024 * 1024, gather: 100 } as const
const LAST_WRITE_MS = 1000

function createLog({ logLevel }: Configuration, lines: LogStream): Logger {
  return pino({ level: logLevel, base: null, timestamp: createLogTime(Date.now) }, lines)
}

async function readClientCa(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  try {
    const pem = await readFile(file, 'utf8')
    createSecureContext({ ca: pem })
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('the file has no PEM certificate')
    return pem
  } catch (error) {
    throw new InputError('certificate-unusable', [`--client-ca ${file}: ${messageOf(error)}`])
  }
}

interface ObtainedKeyPair {
  readonly keyPair: KeyPair
  /** Called once the server listens; before that, its file may still belong to another server. */
  readonly announce: () => Promise<void>
}

async function obtainKeyPair({ tls, listen }: ServeOptions): Promise<ObtainedKeyPair> {
  if (tls.kind === 'files') return { keyPair: await readFilePair(tls.files), announce: () => Promise.resolve() }
  // A self-managed server needs some certificate until the cluster has been read, so that kubelet finds it alive.
  const caOut = tls.kind === 'self-signed' ? tls.caOut : undefined
  const { createSelfSigned } = await import('../certificates/self-signed.ts')
  const named = listen.host === '::' || listen.host === '0.0.0.0' ? [] : [listen.host]
  const hosts = new Set([...named, 'localhost', '127.0.0.1', '::1', 'istio-onramp.istio-onramp.svc'])
  const { ca, cert, key } = await createSelfSigned([...hosts], new Date())
  const announce = async (): Promise<void> => {
    if (caOut !== undefined) await writeAuthority(caOut, ca)
  }
  return { keyPair: checkKeyPair(cert, key), announce }
}

async function readFilePair(files: TlsFiles): Promise<KeyPair> {
  try {
    return await readKeyPair(files)
  } catch (error) {
    throw new InputError('certificate-unusable', [
      `--tls-cert ${files.cert}, --tls-key ${files.key}: ${messageOf(error)}`,
    ])
  }
}

async function writeAuthority(file: string, ca: string): Promise<void> {
  try {
    await writeFile(file, ca)
  } catch (error) {
    throw new InputError('output-unwritable', [`--tls-ca-out ${file}: ${messageOf(error)}`])
  }
}

interface InForce {
  /** The pair for new connections. */
  keyPair: KeyPair
  /** Why clients would refuse it, for `/readyz`. */
  problem: () => string | undefined
}

interface Following {
  readonly app: FastifyInstance
  readonly metrics: Metrics
  readonly log: Logger
  readonly terms: TlsTerms
  readonly inForce: InForce
}

/** Keeps the certificate current. Returns a function that stops it. */
async function followCertificates(
  { tls, cluster, configuration }: ServeOptions,
  following: Following,
): Promise<() => Promise<void>> {
  const { metrics, log, inForce } = following
  if (tls.kind === 'files') return followFiles(tls.files, following)
  if (tls.kind === 'self-signed' || cluster.kind === 'manifests') return () => Promise.resolve()
  const { manageCertificates } = await import('./manage-certificates.ts')
  const { certificates: settings } = configuration
  const { registry } = metrics
  const use = (pair: KeyPair): void => replace(pair, following)
  const managed = manageCertificates({ api: cluster.api, settings, log, registry, use })
  inForce.problem = () => managed.problem()
  return () => managed.stop()
}

function followFiles(files: TlsFiles, following: Following): () => Promise<void> {
  const { metrics, log, inForce } = following
  const stop = watchKeyPair(files, inForce.keyPair, {
    changed(pair) {
      replace(pair, following)
      metrics.countCertificateReload('loaded')
      log.info({ notAfter: pair.notAfter }, 'certificate reloaded')
    },
    refused(error) {
      metrics.countCertificateReload('refused')
      log.error({ err: error }, 'the certificate files cannot be used; the current pair stays in use')
    },
  })
  return async () => stop()
}

function replace(pair: KeyPair, { app, metrics, terms, inForce }: Following): void {
  useKeyPair(app, pair, terms)
  inForce.keyPair = pair
  metrics.setCertificateExpiry(pair.notAfter)
}

function addressOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`
}
