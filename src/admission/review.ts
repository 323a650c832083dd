/**
 * The AdmissionReview on the wire, `admission.k8s.io/v1`: the only file that knows uid, base64 and patchType. Decoding
 * and encoding mirror each other (docs/facts/admission-requests.md#answers).
 */
import {
  isObject,
  member,
  memberAt,
  scalarText,
  stringMember,
  typeName,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import type { Problem } from '../kubernetes/problem.ts'
import type { Exemption } from '../rules/rule.ts'
import type { Verdict } from './verdict.ts'

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const
export type AdmissionOperation = (typeof OPERATIONS)[number]

export interface AdmissionRequest {
  readonly uid: string
  /** `admission.k8s.io/v1`, or v1beta1, which gets an answer of its own version but no decision. */
  readonly apiVersion: string
  readonly operation: AdmissionOperation
  readonly kind: string
  readonly group: string
  readonly version: string
  /** Empty for a cluster-scoped object. */
  readonly namespace: string
  /** Empty if the name is still to be generated. */
  readonly name: string
  readonly dryRun: boolean
  readonly user: string
  readonly object: Json
  readonly oldObject: Json
  /** Whether the parser has checked that the objects do not nest too deeply. */
  readonly isShallow?: boolean
}

const API_VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1']

export function decodeReview(body: unknown): AdmissionRequest | Problem {
  if (!isObject(body)) return { field: 'body', problem: `must be an AdmissionReview, not ${typeName(body)}` }
  const apiVersion = member(body, 'apiVersion')
  if (member(body, 'kind') !== 'AdmissionReview')
    return { field: 'kind', problem: `is ${show(member(body, 'kind'))}; AdmissionReview is expected` }
  if (typeof apiVersion !== 'string' || !API_VERSIONS.includes(apiVersion))
    return { field: 'apiVersion', problem: `is ${show(apiVersion)}; admission.k8s.io/v1 is expected` }
  const request = member(body, 'request')
  if (!isObject(request))
    return { field: 'request', problem: 'an AdmissionReview without a request cannot be answered' }
  const uid = stringMember(request, 'uid') ?? ''
  if (uid === '') return { field: 'request.uid', problem: 'a uid is required, because the answer must repeat it' }
  const operation = OPERATIONS.find((known) => known === member(request, 'operation'))
  if (operation === undefined)
    return {
      field: 'request.operation',
      problem: `is ${show(member(request, 'operation'))}; allowed are ${OPERATIONS.join(', ')}`,
    }
  return readRequest(request, uid, apiVersion, operation)
}

function readRequest(
  request: JsonObject,
  uid: string,
  apiVersion: string,
  operation: AdmissionOperation,
): AdmissionRequest {
  const kind = member(request, 'kind')
  return {
    uid,
    apiVersion,
    operation,
    kind: stringMember(kind, 'kind') ?? '',
    group: stringMember(kind, 'group') ?? '',
    version: stringMember(kind, 'version') ?? '',
    namespace: stringMember(request, 'namespace') ?? '',
    name: stringMember(request, 'name') ?? '',
    dryRun: member(request, 'dryRun') === true,
    user: scalarText(memberAt(request, 'userInfo', 'username')) ?? '',
    object: member(request, 'object') ?? null,
    oldObject: member(request, 'oldObject') ?? null,
  }
}

function show(value: Json | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100)
}

/**
 * Encodes the verdict. `patch` and `patchType` appear together or not at all, and never from `/validate`. A denial is
 * 403 and Forbidden: with 422 and causes, kubectl drops the message (docs/facts/admission-requests.md#denials).
 *
 * The audit log gets `WEBHOOK/reason` of changes and denials, `WEBHOOK/fail-open` and `WEBHOOK/refused-settings`. It
 * gets no reason for objects admitted unchanged, so that a second call for the same pod does not contradict the first.
 */
export function encodeReview(request: Pick<AdmissionRequest, 'uid' | 'apiVersion'>, verdict: Verdict): string {
  const head = `{"apiVersion":"${request.apiVersion}","kind":"AdmissionReview","response":{"uid":${JSON.stringify(request.uid)}`
  const warnings = verdict.warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(verdict.warnings)}`
  return `${head},"allowed":${verdict.kind !== 'deny'}${warnings}${audited(verdict)}${outcome(verdict)}}}`
}

/** Base64 has no character that JSON escapes, so the patch is not read again to write the answer. */
function outcome(verdict: Verdict): string {
  if (verdict.kind === 'deny')
    return `,"status":${JSON.stringify({ status: 'Failure', message: verdict.message, reason: 'Forbidden', code: 403 })}`
  if (verdict.kind !== 'patch') return ''
  return `,"patchType":"JSONPatch","patch":"${Buffer.from(JSON.stringify(verdict.operations)).toString('base64')}"`
}

function audited({ kind, reason, failOpen, refusedSettings, exemptions }: Verdict): string {
  const annotations: Record<string, string> = {}
  if (kind === 'patch' || kind === 'deny') annotations['reason'] = reason
  if (failOpen.length > 0) annotations['fail-open'] = failOpen.join(',')
  if (refusedSettings.length > 0) annotations['refused-settings'] = refusedSettings.join(',')
  if (exemptions.length > 0) annotations['exemption'] = exemptions.map(exemptionText).join(',')
  const text = JSON.stringify(annotations)
  return text === '{}' ? '' : `,"auditAnnotations":${text}`
}

/** Returns a text such as `ingress allow by namespace`. */
function exemptionText({ rule, setting, by }: Exemption): string {
  return `${rule} ${setting} by ${by}`
}
