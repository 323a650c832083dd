// What the libraries of the server can do: fastify reads, one pino line, an answer with a fixed patch, and no work.
// Arguments: certificate and key.
import { readFileSync } from 'node:fs'
import fastify, { LogController } from 'fastify'
import { pino } from 'pino'

const [, , certFile, keyFile] = process.argv
const operations = JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { a: 'b'.repeat(600) } }])
const patch = Buffer.from(operations).toString('base64')
const app = fastify({
  https: { cert: readFileSync(certFile), key: readFileSync(keyFile) },
  loggerInstance: pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2)),
  logController: new LogController({ disableRequestLogging: true }),
  bodyLimit: 32 * 1024 * 1024,
  keepAliveTimeout: 120_000,
})
app.post('/mutate', (request, reply) => {
  const { apiVersion, kind, request: admission } = request.body
  request.log.info({ uid: admission.uid, namespace: admission.namespace, verdict: 'patch' }, 'admission')
  return reply.send({
    apiVersion,
    kind,
    response: { uid: admission.uid, allowed: true, patchType: 'JSONPatch', patch },
  })
})
const address = await app.listen({ host: '127.0.0.1', port: 0 })
app.log.info({ address: address.replace('https://', '') }, 'listening')
