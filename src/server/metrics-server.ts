/** `/metrics` on a port of its own, in plain text: scrapers are not the API server and have no use for our certificate. */
import fastify, { type FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'

export function createMetricsServer({ registry }: Metrics): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true })
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  )
  return app
}
