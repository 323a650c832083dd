/** The HTTPS server of the webhook, built but not yet listening. */
import type { Server } from 'node:https'
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Configuration } from '../config.ts'
import { addAdmissionRoutes, type AdmissionServices } from './admission-routes.ts'
import { createBodyReader } from './body.ts'
import type { Drain } from './drain.ts'
import { TLS_OPTIONS, type KeyPair } from './tls-files.ts'

/**
 * Milliseconds. The API server keeps idle connections for 90 s and repeats no admission, so every limit of ours has to be
 * longer; `headersTimeout` counts from the opening of a connection, even one that never carries a request
 * (docs/facts/admission-requests.md#connections).
 */
const KEEP_ALIVE = 120_000
const REQUEST_TIMEOUT = 100_000
const HEADERS_TIMEOUT = 100_000

export interface WebhookServerOptions extends Omit<AdmissionServices, 'bodies'> {
  readonly keyPair: KeyPair
  readonly limits: Configuration['limits']
  readonly log: FastifyBaseLogger
  readonly drain: Drain
  /** Whether every fact the rules need has been read once. */
  readonly isReady: () => boolean
}

export function createWebhookServer(options: WebhookServerOptions): FastifyInstance {
  const { keyPair, limits, log, drain, isReady } = options
  const app = fastify({
    https: { ...TLS_OPTIONS, cert: keyPair.cert, key: keyPair.key, ALPNProtocols: ['http/1.1'] },
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.requestBytes,
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: REQUEST_TIMEOUT,
    // A legal object may have keys of any name; they are data to us (docs/facts/operations.md#json-with-dangerous-keys).
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    forceCloseConnections: false,
  }) as unknown as FastifyInstance
  app.server.headersTimeout = HEADERS_TIMEOUT
  drain.follow(app)
  addAdmissionRoutes(app, { ...options, bodies: createBodyReader(limits, options.metrics) })
  app.get('/livez', () => 'ok')
  app.get('/readyz', (_request, reply) => {
    if (isReady() && !drain.isDraining()) return 'ok'
    return reply.code(503).send(drain.isDraining() ? 'draining' : 'not ready')
  })
  return app
}

/** New handshakes get the new pair; open connections live on with the old one. */
export function useKeyPair(app: FastifyInstance, { cert, key }: KeyPair): void {
  ;(app.server as unknown as Server).setSecureContext({ ...TLS_OPTIONS, cert, key })
}
