/**
 * `POST /mutate` and `POST /validate`: body to review, review to verdict, verdict to answer, one log line and the
 * counters for each. The same rules run on both; what a validating webhook may not say is left out there.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admit, nameOf } from '../admission/admit.ts'
import { decodeReview, encodeReview, type AdmissionRequest } from '../admission/review.ts'
import { allow, failOpen, type Verdict } from '../admission/verdict.ts'
import { codeOf, messageOf } from '../errors.ts'
import { isProblem } from '../kubernetes/problem.ts'
import type { RuleContext } from '../rules/rule.ts'
import type { BodyReader } from './body.ts'
import { logVerdict } from './decision-log.ts'
import { HttpProblem, statusBody } from './http-problem.ts'
import type { Metrics } from './metrics.ts'

export interface AdmissionServices {
  /**
   * The snapshot in force when the request is decided; nothing else of the cluster can be reached. Undefined while the
   * cluster is not known.
   */
  readonly context: () => RuleContext | undefined
  readonly metrics: Metrics
  readonly bodies: BodyReader
}

export function addAdmissionRoutes(app: FastifyInstance, services: AdmissionServices): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (request: FastifyRequest) => await readBody(request, services))
  // `close` comes for every request, one whose client left included; fastify's `onResponse` does not.
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => services.bodies.release(request.raw))
  })
  app.setErrorHandler((error, request, reply) => answerProblem(asProblem(error), services, request, reply))
  app.post('/mutate', (request, reply) => answer('/mutate', services, request, reply))
  app.post('/validate', (request, reply) => answer('/validate', services, request, reply))
}

async function readBody(request: FastifyRequest, { bodies }: AdmissionServices): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new HttpProblem('content-encoding', `content-encoding ${encoding} is not accepted; the API server sends none`)
  return await bodies.read(request.raw)
}

function answer(path: string, services: AdmissionServices, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const started = process.hrtime.bigint()
  const review = decodeReview(parseBody(request.body))
  if (isProblem(review)) throw new HttpProblem('not-a-review', `${review.field}: ${review.problem}`)
  const verdict = forPath(path, decideReview(review, services))
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  services.metrics.countVerdict(path, review.kind, review.operation, verdict, seconds)
  logVerdict(request.log, path, review, verdict, seconds)
  return reply.header('content-type', 'application/json').send(JSON.stringify(encodeReview(review, verdict)))
}

function parseBody(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '')
  } catch (error) {
    throw new HttpProblem('not-json', `the body is not JSON: ${messageOf(error)}`)
  }
}

/** v1beta1 is answered in its own version, so that the object passes, and never decided: nothing sends it any more. */
function decideReview(review: AdmissionRequest, { context }: AdmissionServices): Verdict {
  if (review.apiVersion !== 'admission.k8s.io/v1')
    return failOpen(`AdmissionReview ${review.apiVersion}`, 'no-rule', 'admissionReviewVersions must be [v1]')
  const known = context()
  return known === undefined ? failOpen(nameOf(review), 'cluster-unknown') : admit(review, known)
}

/** A validating webhook that sends a patch is a failed call; it does not announce what it does not do, either. */
function forPath(path: string, verdict: Verdict): Verdict {
  return path === '/validate' && verdict.kind === 'patch'
    ? allow(verdict.reason, { decisions: verdict.decisions })
    : verdict
}

function asProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (codeOf(error) === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new HttpProblem('content-type', `${messageOf(error)}; application/json is expected`)
  return new HttpProblem('not-a-review', messageOf(error))
}

function answerProblem(
  problem: HttpProblem,
  { metrics }: AdmissionServices,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  metrics.countBadRequest(problem.code)
  request.log.warn(
    { path: request.routeOptions.url, reason: problem.code, status: problem.statusCode },
    problem.message,
  )
  const headers = problem.statusCode === 400 ? problem.headers : { ...problem.headers, connection: 'close' }
  return reply.code(problem.statusCode).headers(headers).send(statusBody(problem))
}
