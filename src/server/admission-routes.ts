/**
 * `POST /mutate` and `POST /validate`: body to review, review to verdict, verdict to answer, with one log line and the
 * counters for each. Both run the same rules; `/validate` omits what a validating webhook may not answer.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admitUnread } from '../admission/admit-unread.ts'
import { admitInSteps, nameOf } from '../admission/admit.ts'
import { hasTooManyParts } from '../admission/object-size.ts'
import { encodeReview, type AdmissionRequest } from '../admission/review.ts'
import { allow, failOpen, type Verdict } from '../admission/verdict.ts'
import { codeOf, messageOf } from '../errors.ts'
import type { RuleContext } from '../rules/rule.ts'
import type { BodyReader } from './body-reader.ts'
import { logVerdict } from './decision-log.ts'
import { HttpProblem, statusBody } from './http-problem.ts'
import type { Metrics } from './metrics.ts'
import { inTurn, PARSED_AT_ONCE, parseLargeReview, parseReview, type ParsedReview } from './parse-review.ts'
import type { SwitchLog } from './switches.ts'
import type { Turns } from './turns.ts'

export interface AdmissionServices {
  /**
   * The snapshot at the time of the decision; the request can reach nothing else of the cluster. Undefined while the
   * cluster is unknown.
   */
  readonly context: () => RuleContext | undefined
  readonly metrics: Metrics
  /** Lets reviews that take long give way to the others. */
  readonly turns: Turns
  /** Records switches to STRICT that caused a warning, for `/switches`. */
  readonly switches?: SwitchLog
  readonly bodies: BodyReader
  /** Whether reviews are accepted only from clients with a certificate of the authority in `--client-ca`. */
  readonly needsClientCertificate: boolean
}

/**
 * The API server sends a request when the one before it has been answered. One connection with a hundred requests at once
 * would take the turn of everybody else.
 */
const MOST_PIPELINED = 8

export function addAdmissionRoutes(app: FastifyInstance, services: AdmissionServices): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request: FastifyRequest, _payload, done) => {
    readBody(request, services).then((body) => done(null, body), done)
  })
  const unanswered = new WeakMap<Socket, number>()
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw
    const count = (unanswered.get(socket) ?? 0) + 1
    unanswered.set(socket, count)
    // `close` fires for every request, even if its client left; fastify's `onResponse` does not.
    reply.raw.once('close', () => {
      unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1)
      services.bodies.release(request.raw)
    })
    if (count > MOST_PIPELINED) {
      socket.destroy()
      done(new HttpProblem('overloaded', 'too many requests at once on one connection'))
      return
    }
    const isRefused = services.needsClientCertificate && request.method === 'POST' && !isAuthorized(request.raw.socket)
    done(isRefused ? noCertificate() : undefined)
  })
  app.setErrorHandler((error, request, reply) => answerProblem(asProblem(error), services, request, reply))
  app.post('/mutate', (request, reply) => answer('/mutate', services, request, reply))
  app.post('/validate', (request, reply) => answer('/validate', services, request, reply))
}

function isAuthorized(socket: Socket): boolean {
  return socket instanceof TLSSocket && socket.authorized
}

function noCertificate(): HttpProblem {
  return new HttpProblem('client-certificate', 'a client certificate of the authority in --client-ca is required')
}

async function readBody(request: FastifyRequest, { bodies }: AdmissionServices): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new HttpProblem('content-encoding', `content-encoding ${encoding} is not accepted; the API server sends none`)
  return await bodies.read(request.raw)
}

/** A small review is decided at once. A large one gives way to others while it is parsed. */
function answer(
  path: string,
  services: AdmissionServices,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const started = performance.now()
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const send = (review: AdmissionRequest, verdict: Verdict): FastifyReply => {
    const seconds = (performance.now() - started) / 1000
    services.metrics.countVerdict(path, review.kind, review.operation, verdict, seconds)
    logVerdict(request.log, path, request.headers['traceparent'], review, verdict, seconds)
    services.switches?.record(review, verdict)
    return reply.header('content-type', 'application/json').send(encodeReview(review, verdict))
  }
  const decideAndSend = (parsed: ParsedReview): FastifyReply | Promise<FastifyReply> => {
    const verdict = decideReview(parsed, services)
    if (verdict instanceof Promise) return verdict.then((later) => send(parsed.request, forPath(path, later)))
    return send(parsed.request, forPath(path, verdict))
  }
  if (body.length <= PARSED_AT_ONCE) return decideAndSend(parseReview(body))
  return inTurn(async () => await decideAndSend(await parseLargeReview(body)))
}

/**
 * A v1beta1 review is answered in its own version without a decision, so that the object passes. No API server sends it
 * any more.
 */
function decideReview(
  { request, unread }: ParsedReview,
  { context, turns }: AdmissionServices,
): Verdict | Promise<Verdict> {
  if (request.apiVersion !== 'admission.k8s.io/v1')
    return failOpen(`AdmissionReview ${request.apiVersion}`, 'no-rule', 'admissionReviewVersions must be [v1]')
  const known = context()
  if (known === undefined) return failOpen(nameOf(request), 'cluster-unknown')
  const isTooLarge = [request.object, request.oldObject].some((object) => hasTooManyParts(request.kind, object))
  const why = unread ?? (isTooLarge ? 'too-many-values' : undefined)
  return why === undefined ? turns(admitInSteps(request, known)) : admitUnread(request, why, known)
}

/** A patch from a validating webhook is a failed call, so the warnings that announce it are dropped as well. */
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
