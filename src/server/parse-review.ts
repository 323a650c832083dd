/** Parses any request body into an admission request, or throws. */
import { decodeReview, type AdmissionRequest } from '../admission/review.ts'
import { messageOf } from '../errors.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { countValues } from './count-values.ts'
import { HttpProblem } from './http-problem.ts'

/**
 * More than a valid object of 3 MiB and its predecessor have: 120,000 of the smallest containers with Kubernetes'
 * defaults have 1.7 million. Parsed, this many values take 150 MB at most.
 */
export const MOST_VALUES = 3_000_000
/** Bodies up to this size have fewer than a tenth of that in the worst case. */
const ALWAYS_READ = 512 * 1024

export interface ParsedReview {
  readonly request: AdmissionRequest
  /** The object has more values than any valid one, so it was not read: `request.object` is null. */
  readonly isOverfull: boolean
}

/** Throws HttpProblem. */
export function parseReview(body: Buffer): ParsedReview {
  if (body.length <= ALWAYS_READ) return { request: decode(body.toString('utf8')), isOverfull: false }
  const { values, objectAt } = countValues(body, MOST_VALUES)
  if (values <= MOST_VALUES) return { request: decode(body.toString('utf8')), isOverfull: false }
  if (objectAt === undefined || objectAt > ALWAYS_READ) throw tooManyValues()
  return { request: decode(headOf(body, objectAt)), isOverfull: true }
}

/** The API server writes the identifying fields of a request before its objects. */
function headOf(body: Buffer, objectAt: number): string {
  return `${body.toString('utf8', 0, objectAt).trimEnd().replace(/,$/, '')}}}`
}

function decode(text: string): AdmissionRequest {
  const review = decodeReview(parseJson(text))
  if (isProblem(review)) throw new HttpProblem('not-a-review', `${review.field}: ${review.problem}`)
  return review
}

/** V8 quotes the text around the position. It may contain a user's secret, so it is dropped. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const place = /at position \d+/.exec(messageOf(error))?.[0]
    throw new HttpProblem('not-json', `the body is not JSON: unexpected text ${place ?? 'at its end'}`)
  }
}

function tooManyValues(): HttpProblem {
  return new HttpProblem('too-many-values', `the review has more than ${MOST_VALUES} values`)
}
