/** Builds the HTTPS server of the webhook; it does not listen yet. */
import { constants } from 'node:crypto'
import type { Server } from 'node:https'
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Configuration } from '../config.ts'
import { createTurns } from './turns.ts'
import { addAdmissionRoutes, type AdmissionServices } from './admission-routes.ts'
import type { BodyBounds } from './body-bounds.ts'
import { BodyReader } from './body-reader.ts'
import { capConnections } from './connections.ts'
import type { Drain } from './drain.ts'
import type { KeyPair } from './tls-files.ts'

/**
 * Milliseconds. The API server keeps idle connections for 90 s and does not repeat admission calls, so every limit must
 * be longer. `headersTimeout` starts when a connection opens, even if it never has a request
 * (docs/facts/admission-requests.md#connections).
 */
const KEEP_ALIVE = 120_000
const REQUEST_TIMEOUT = 100_000
const HEADERS_TIMEOUT = 100_000

/** Milliseconds that a long review takes before it gives way. */
const MOST_TURN = 10

/** Kubernetes' names of the versions, as kube-apiserver's --tls-min-version has them. */
const TLS_VERSIONS = { VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' } as const

/** Which connections are accepted. */
export interface TlsTerms {
  readonly minVersion: Configuration['tls']['minVersion']
  /** PEM of the authority whose clients may send reviews; undefined allows any client. */
  readonly clientCa?: string | undefined
}

export interface WebhookServerOptions extends Omit<AdmissionServices, 'bodies' | 'turns' | 'needsClientCertificate'> {
  readonly tls: TlsTerms
  readonly bodyBounds?: BodyBounds
  readonly keyPair: KeyPair
  readonly limits: Configuration['limits']
  readonly log: FastifyBaseLogger
  readonly drain: Drain
  /** Why the server should not get requests yet, for `/readyz`; undefined once it should. */
  readonly notReady: () => string | undefined
}

export function createWebhookServer(options: WebhookServerOptions): FastifyInstance {
  const { keyPair, tls, limits, log, drain, notReady } = options
  const app = fastify({
    https: { ...secureOptions(keyPair, tls), ...clientOptions(tls), ALPNProtocols: ['http/1.1'] },
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A line names its review by uid, so no request needs a logger of its own.
    childLoggerFactory: (logger) => logger,
    bodyLimit: limits.requestBytes,
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: REQUEST_TIMEOUT,
    // A valid object may have keys of any name; they are data to us
    // (docs/facts/operations.md#json-with-dangerous-keys).
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    forceCloseConnections: false,
  }) as unknown as FastifyInstance
  app.server.headersTimeout = HEADERS_TIMEOUT
  drain.follow(app)
  capConnections(app)
  addAdmissionRoutes(app, {
    ...options,
    turns: createTurns(MOST_TURN),
    bodies: new BodyReader(limits, options.metrics, options.bodyBounds),
    needsClientCertificate: tls.clientCa !== undefined,
  })
  app.get('/livez', () => 'ok')
  app.get('/readyz', (_request, reply) => {
    const problem = drain.isDraining() ? 'draining' : notReady()
    return problem === undefined ? 'ok' : reply.code(503).send(problem)
  })
  return app
}

/** New handshakes use the new pair; open connections keep the old one. */
export function useKeyPair(app: FastifyInstance, pair: KeyPair, tls: TlsTerms): void {
  ;(app.server as unknown as Server).setSecureContext(secureOptions(pair, tls))
}

function secureOptions({ cert, key }: KeyPair, { minVersion, clientCa }: TlsTerms) {
  // A resumed session would skip the verification of the client certificate.
  const ofClients = clientCa === undefined ? {} : { ca: clientCa, secureOptions: constants.SSL_OP_NO_TICKET }
  return { minVersion: TLS_VERSIONS[minVersion], cert, key, ...ofClients }
}

/** The handshake does not require a certificate, because kubelet's probes of `/livez` and `/readyz` have none. */
function clientOptions({ clientCa }: TlsTerms) {
  return clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false }
}
