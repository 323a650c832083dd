/**
 * `/metrics` and `/switches` on a port of their own, in plain text: scrapers are not the API server and do not need our
 * certificate.
 */
import fastify, { type FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'
import type { SwitchLog } from './switches.ts'

export function createMetricsServer({ registry }: Metrics, switches?: SwitchLog): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true })
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  )
  // Who switched what to STRICT in the last day despite a warning.
  app.get('/switches', () => ({ switches: switches?.list() ?? [] }))
  return app
}
