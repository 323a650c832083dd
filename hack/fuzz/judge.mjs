// What holds for every review, whatever its object. `judge` returns what does not.
import { isDeepStrictEqual } from 'node:util'
import { applyPatch } from 'rfc6902'
import { admit } from '../../dist/admission/admit.js'
import { decodeReview, encodeReview } from '../../dist/admission/review.js'
import { templateOf } from './vary.mjs'

const HANDLERS = ['httpGet', 'tcpSocket', 'grpc', 'exec', 'sleep']

/**
 * | for every review         | the decision does not fail, and does not change its input; warnings are single lines          |
 * | for every patch          | an independent library comes to the same object; a second decision changes nothing            |
 * |                          | only handlers, their ports and our own parts differ; one handler stays one                    |
 */
export function judge(review, context) {
  const received = JSON.parse(JSON.stringify(review))
  const request = decodeReview(received)
  if ('problem' in request) return { problems: [`not decoded: ${request.field} ${request.problem}`] }
  const verdict = admit(request, context)
  const { response } = JSON.parse(encodeReview(request, verdict))
  const problems = [
    ...(verdict.reason === 'internal-error' || verdict.failOpen.includes('internal-error')
      ? [`failed: ${verdict.warnings[0]}`]
      : []),
    ...(verdict.failOpen.includes('patch-not-applicable') ? [`not applicable: ${verdict.warnings}`] : []),
    ...(isDeepStrictEqual(received, JSON.parse(JSON.stringify(review))) ? [] : ['the input was changed']),
    ...('patch' in response === 'patchType' in response ? [] : ['patch without patchType']),
    ...verdict.warnings
      .filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line) || line.length > 256)
      .map((line) => `warning: ${line}`),
  ]
  return verdict.kind === 'patch' ? judgePatch(review, context, verdict, response, problems) : { problems }
}

function judgePatch(review, context, verdict, { patch }, problems) {
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString())
  const before = JSON.parse(JSON.stringify(review.request.object))
  const after = structuredClone(before)
  const refused = applyPatch(after, operations).find((error) => error !== null)
  const again = admit(decodeReview({ ...review, request: { ...review.request, object: after } }), context)
  return {
    operations,
    after,
    problems: [
      ...problems,
      ...(refused === undefined ? [] : [`rfc6902 refuses the patch: ${refused.message}`]),
      ...(isDeepStrictEqual(after, JSON.parse(JSON.stringify(verdict.after)))
        ? []
        : ['rfc6902 comes to another object']),
      ...(again.kind === 'patch' ? [`a second decision changes ${again.operations.map(({ path }) => path)}`] : []),
      ...handlerProblems(before, after),
      ...lostParts(before, after),
    ],
  }
}

function slotsOf(object) {
  const spec = templateOf(object)?.spec
  return ['containers', 'initContainers'].flatMap((list) =>
    (Array.isArray(spec?.[list]) ? spec[list] : [])
      .filter((container) => container?.name !== 'istio-onramp-prober')
      .flatMap((container, index) =>
        ['livenessProbe', 'readinessProbe', 'startupProbe', 'preStop', 'postStart'].map((slot) => [
          `${list}[${index}].${slot}`,
          container?.[slot] ?? container?.lifecycle?.[slot],
        ]),
      ),
  )
}

function handlerProblems(before, after) {
  const count = (value) =>
    value === null || typeof value !== 'object' ? 0 : HANDLERS.filter((kind) => kind in value).length
  const was = new Map(slotsOf(before))
  return slotsOf(after).flatMap(([place, value]) =>
    count(was.get(place)) === 1 && count(value) !== 1 ? [`${place} has ${count(value)} handlers`] : [],
  )
}

/** Volumes, variables and mounts that the user wrote stay, unless the receipt of an earlier rewrite names them. */
function lostParts(before, after) {
  if (JSON.stringify(before).includes('istio-onramp.io/rewritten')) return []
  const names = (object) => {
    const spec = templateOf(object)?.spec ?? {}
    const containers = ['containers', 'initContainers'].flatMap((list) => (Array.isArray(spec[list]) ? spec[list] : []))
    const lists = [
      spec.volumes,
      spec.initContainers,
      spec.containers,
      ...containers.flatMap((one) => [one?.env, one?.volumeMounts, one?.ports]),
    ]
    return lists.flatMap((list) => (Array.isArray(list) ? list.map((entry) => JSON.stringify(entry?.name)) : []))
  }
  const left = names(after)
  return names(before).flatMap((name) => {
    const at = left.indexOf(name)
    if (at === -1) return [`a part called ${name} is gone`]
    left.splice(at, 1)
    return []
  })
}
