/**
 * Writes one structured log line per review from an allow-list of fields, never the object, the patch or the message.
 */
import type { FastifyBaseLogger } from 'fastify'
import type { AdmissionRequest } from '../admission/review.ts'
import type { Verdict } from '../admission/verdict.ts'

const LONGEST = 253

/** `traceparent` is that header of the request, by which an API server with tracing names its own span. */
export function logVerdict(
  log: FastifyBaseLogger,
  path: string,
  traceparent: string | string[] | undefined,
  request: AdmissionRequest,
  verdict: Verdict,
  seconds: number,
): void {
  const fields = {
    path,
    uid: cut(request.uid),
    operation: request.operation,
    kind: cut(request.kind),
    namespace: cut(request.namespace),
    name: cut(request.name),
    dryRun: request.dryRun,
    verdict: verdict.kind,
    reason: verdict.reason,
    changed: verdict.decisions.filter(({ action }) => action === 'rewrite' || action === 'annotate').length,
    warnings: verdict.warnings.length,
    milliseconds: Math.round(seconds * 1e5) / 100,
    ...traceOf(traceparent),
  }
  const { failOpen, refusedSettings, warnings } = verdict
  if (failOpen.length > 0) log.warn({ ...fields, failOpen, refusedSettings, why: warnings[0] }, 'admission failed open')
  else if (refusedSettings.length > 0) log.warn({ ...fields, refusedSettings, why: warnings[0] }, 'setting refused')
  else log.info(fields, 'admission')
}

/** https://www.w3.org/TR/trace-context/#traceparent-header. Any other text is not logged. */
function traceOf(header: string | string[] | undefined): { readonly traceId?: string; readonly spanId?: string } {
  if (typeof header !== 'string') return {}
  const [, traceId, spanId] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header) ?? []
  return traceId === undefined || spanId === undefined ? {} : { traceId, spanId }
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : text.slice(0, LONGEST)
}
