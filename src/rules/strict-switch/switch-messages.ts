/** The guard's messages: a summary, the three worst findings, and the command that lists all. */
import { counted } from '../../kubernetes/counted.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import type { Finding } from '../../readiness/finding.ts'
import { coded } from '../reasons.ts'
import type { SwitchEffect } from './compare-switch.ts'

const SHOWN = 3
/** Connections that are open at the switch last for Istio's drain time (docs/facts/mtls-modes.md). */
const DELAY = 'open connections close up to 45 s later, so a quiet minute proves nothing'

/** Returns `7 errors in 3 objects, 2 warnings, 1 namespace not fully known`. */
export function summaryOf({ broken, warned, unknown }: SwitchEffect): string {
  const objects = new Set(broken.map(({ object }) => describe(object))).size
  return [
    `${counted(broken.length, 'error')} in ${counted(objects, 'object')}`,
    ...(warned > 0 ? [counted(warned, 'warning')] : []),
    ...(unknown > 0 ? [`${counted(unknown, 'namespace')} not fully known`] : []),
  ].join(', ')
}

/** Returns what is not known of the effect, as the rest of a sentence that begins with "because". */
export function gapsOf({ unread, unknown }: SwitchEffect): readonly string[] {
  return [
    ...(unread.length > 0 ? [`these kinds could not be read: ${unread.join(', ')}`] : []),
    ...(unknown > 0
      ? [`it is unknown whether Istio rewrites the probes of ${counted(unknown, 'namespace')} (no injector ConfigMap)`]
      : []),
  ]
}

/** Returns at most six lines. */
export function warningLines(reference: ObjectReference, effect: SwitchEffect): readonly string[] {
  return [
    coded(`${describe(reference)}: ${summaryOf(effect)}; ${DELAY}`, 'strict-switch-breaks'),
    ...effect.broken.slice(0, SHOWN).map((finding) => coded(detail(finding), 'strict-switch-breaks')),
    ...gapsOf(effect)
      .slice(0, 1)
      .map((gap) => coded(`Not everything is known: ${gap}`, 'strict-switch-unknown')),
    `All findings: ${command(effect)}`,
  ]
}

export function denialText(reference: ObjectReference, effect: SwitchEffect): string {
  const rest = effect.broken.length - SHOWN
  return [
    coded(
      `${describe(reference)} is denied: it breaks running workloads (${summaryOf(effect)}).`,
      'strict-switch-breaks',
    ),
    ...effect.broken.slice(0, SHOWN).map((finding) => `- ${detail(finding)}\n  fix: ${finding.fix}`),
    ...(rest > 0 ? [`and ${rest} more.`] : []),
    `After the switch, ${DELAY}. All findings: ${command(effect)}`,
    'To switch anyway, annotate the PeerAuthentication or its namespace, if the configuration allows it: istio-onramp.io/strict-switch: "warn".',
  ].join('\n')
}

function detail({ object, container, slot, message }: Finding): string {
  const place = [container, slot].filter((part) => part !== undefined).join(' ')
  return `${describe(object)}${place === '' ? '' : `, ${place}`}: ${message}`
}

function command({ scope }: SwitchEffect): string {
  return scope === undefined
    ? "istio-onramp check --assume-strict '*'"
    : `istio-onramp check -n ${scope} --assume-strict ${scope}`
}
