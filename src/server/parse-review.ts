/** Parses any request body into an admission request, or throws. */
import { setImmediate as turn } from 'node:timers/promises'
import pLimit from 'p-limit'
import { decodeReview, type AdmissionRequest } from '../admission/review.ts'
import { messageOf } from '../errors.ts'
import { MAX_DEPTH } from '../kubernetes/json.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { HttpProblem } from './http-problem.ts'
import { parseInSlices, type Excess } from './parse-in-slices.ts'

/**
 * More than a valid object of 3 MiB and its predecessor have. etcd accepts 1.5 MiB
 * (https://etcd.io/docs/v3.5/dev-guide/limit/), and an empty string or object takes two bytes in it, so both objects
 * together have 1.5 million of them. Parsed, this many values take 150 MB at most.
 */
export const MOST_VALUES = 3_000_000

/** An AdmissionReview has its objects at the third level. */
const LIMITS = {
  values: MOST_VALUES,
  depth: MAX_DEPTH + 3,
  // The API server accepts requests of 3 MiB, and writes six bytes (`\u003c`) for some characters.
  stringBytes: 18 * 1024 * 1024,
  // A label or a data key with its value takes seven bytes in etcd at least.
  members: 300_000,
}

/** Bodies up to this size are parsed at once, in a few milliseconds. */
export const PARSED_AT_ONCE = 256 * 1024
const SLICE = 64 * 1024

export interface ParsedReview {
  readonly request: AdmissionRequest
  /** Why the object was not read: it is beyond what any valid one has. `request.object` is then null. */
  readonly unread?: Excess
}

/** Throws HttpProblem. */
export function parseReview(body: Buffer): ParsedReview {
  return { request: decode(parseJson(body.toString('utf8'))) }
}

/** Large reviews are parsed and decided one at a time, because two of them would not fit into the heap. */
export const inTurn = pLimit(1)

/** Parses a body above `PARSED_AT_ONCE` in slices, between which other requests are answered. Throws HttpProblem. */
export async function parseLargeReview(body: Buffer): Promise<ParsedReview> {
  const parsed = await slices(body)
  if ('value' in parsed) return { request: { ...decode(parsed.value), isShallow: true } }
  const { excess, objectAt } = parsed
  if (objectAt === undefined || objectAt > PARSED_AT_ONCE) throw tooManyValues()
  return { request: decode(parseJson(headOf(body, objectAt))), unread: excess }
}

async function slices(body: Buffer) {
  try {
    return await parseInSlices(body, LIMITS, { size: SLICE, pause: turn })
  } catch (error) {
    throw error instanceof SyntaxError ? notJson('') : error
  }
}

/** The API server writes the identifying fields of a request before its objects. */
function headOf(body: Buffer, objectAt: number): string {
  return `${body.toString('utf8', 0, objectAt).trimEnd().replace(/,$/, '')}}}`
}

function decode(value: unknown): AdmissionRequest {
  const review = decodeReview(value)
  if (isProblem(review)) throw new HttpProblem('not-a-review', `${review.field}: ${review.problem}`)
  return review
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const place = /at position \d+/.exec(messageOf(error))?.[0]
    throw notJson(` ${place ?? 'at its end'}`)
  }
}

/** V8 quotes the text around the position. It may contain a user's secret, so it is dropped. */
function notJson(place: string): HttpProblem {
  return new HttpProblem('not-json', `the body is not JSON: unexpected text${place}`)
}

function tooManyValues(): HttpProblem {
  return new HttpProblem('too-many-values', `the review has more than ${MOST_VALUES} values`)
}
