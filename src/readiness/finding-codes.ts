/**
 * The codes of all findings. The pages in docs/reference/findings, `check --explain` and the severities come from this
 * table. A code without its sentences does not compile.
 */
import { CALLER_FINDINGS } from './codes/caller-findings.ts'
import { INBOUND_FINDINGS } from './codes/inbound-findings.ts'
import { POLICY_FINDINGS } from './codes/policy-findings.ts'
import { TRAFFIC_FINDINGS } from './codes/traffic-findings.ts'
import { WORKLOAD_FINDINGS } from './codes/workload-findings.ts'

/** The page of a code is `${FINDING_DOCS}${code}.md`. */
export const FINDING_DOCS = 'https://github.com/istio-onramp/istio-onramp/blob/main/docs/reference/findings/'

export const FINDINGS = {
  ...WORKLOAD_FINDINGS,
  ...INBOUND_FINDINGS,
  ...CALLER_FINDINGS,
  ...TRAFFIC_FINDINGS,
  ...POLICY_FINDINGS,
} as const

export type FindingCode = keyof typeof FINDINGS

export const FINDING_CODES = Object.keys(FINDINGS) as readonly FindingCode[]

export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(FINDINGS, text)
}
