/**
 * Decides what one replica does next about the authorities, the CA bundles and its own certificate. Every replica decides
 * by itself, from the same Secret and the same webhook configurations; the API server refuses the second of two writes.
 *
 * The first row that applies decides:
 *
 * | facts                                                                  | step                               |
 * | ---------------------------------------------------------------------- | ---------------------------------- |
 * | the Secret is absent or damaged, this replica knows valid authorities  | store them (restored)              |
 * | the Secret is absent or damaged otherwise                              | create an authority                |
 * | the signing authority is not valid now, the next one is                | store (promoted)                   |
 * | the signing authority is not valid now                                 | create an authority                |
 * | the signing authority is due, and no next one is valid                 | prepare the next one               |
 * | the certificate is missing, invalid, due, or of another authority (*)  | sign                               |
 * | a bundle trusts others and none of ours                                | store (adopted): trust them a while |
 * | a bundle is not exactly the authorities of the Secret                  | publish                            |
 * | every bundle has trusted the next authority for `trustDelay`           | store (promoted)                   |
 * | the retired authorities are past their time                            | store (dropped)                    |
 * | anything else                                                          | wait                               |
 *
 * (*) A certificate that clients accept is replaced by one of another authority only when every bundle has trusted that
 * for `trustDelay`.
 */
import type { Authorities, SecretContent } from './authority-secret.ts'
import { isValid, type Authority, type TrustedCertificate } from './authority.ts'

export interface Facts {
  /** Milliseconds since 1970 by the clock of the API server, which is the one that verifies certificates. */
  readonly now: number
  readonly secret: SecretContent
  /** The authorities that this process read or stored last. */
  readonly remembered: Authorities | undefined
  /** One for each entry of the webhook configurations that exist. */
  readonly bundles: readonly WebhookBundle[]
  /** Milliseconds for which every bundle has been seen to trust a certificate, by its fingerprint. */
  readonly trustedFor: ReadonlyMap<string, number>
  readonly leaf: Leaf | undefined
  /** From 0 to 1, drawn once for each process. */
  readonly jitter: number
  readonly timing: RotationTiming
}

export interface WebhookBundle {
  /** `mutatingwebhookconfigurations/istio-onramp` */
  readonly configuration: string
  /** Whether an annotation hands the bundle to cert-manager's cainjector. We leave it to that. */
  readonly isInjected: boolean
  readonly certificates: readonly TrustedCertificate[]
}

/** The certificate that this replica serves. */
export interface Leaf {
  /** The fingerprint of the authority that signed it. */
  readonly authority: string
  readonly notBefore: number
  readonly notAfter: number
}

/** Milliseconds. */
export interface RotationTiming {
  readonly authorityDuration: number
  readonly leafDuration: number
  /** From the time that every bundle trusts an authority until it signs. */
  readonly trustDelay: number
}

export type Step =
  | { readonly kind: 'create'; readonly reason: string; readonly retired: Retired }
  | { readonly kind: 'prepare'; readonly authorities: Authorities }
  | { readonly kind: 'store'; readonly event: StoreEvent; readonly authorities: Authorities }
  | {
      readonly kind: 'publish'
      readonly configurations: readonly string[]
      readonly bundle: readonly TrustedCertificate[]
    }
  | { readonly kind: 'sign'; readonly authority: Authority }
  | { readonly kind: 'wait'; readonly milliseconds: number }

export type StoreEvent = 'restored' | 'adopted' | 'promoted' | 'dropped'
type Retired = Pick<Authorities, 'retired' | 'retiredUntil'>

/** Certificates are valid from an hour before they are issued, for clocks that are behind. */
export const BACKDATE = 3_600_000
/** Both the Secret and the bundles are read at least this often, so a loss is mended within a minute. */
const TICK = 30_000
const SHORTEST_WAIT = 250
/** A bundle is part of every webhook configuration that the API servers keep in memory. */
const MOST_RETIRED = 10

export function nextStep(facts: Facts): Step {
  const { secret, now } = facts
  if (secret.kind !== 'authorities') return recover(facts, secret)
  const { authorities } = secret
  if (!isValid(authorities.signing, now)) return replaceSigning(authorities, facts)
  return (
    prepareNext(authorities, facts) ??
    renewLeaf(authorities, facts) ??
    adopt(authorities, facts) ??
    publish(authorities, facts) ??
    promoteTrusted(authorities, facts) ??
    dropRetired(authorities, facts) ?? { kind: 'wait', milliseconds: untilDue(authorities, facts) }
  )
}

function recover(facts: Facts, secret: Exclude<SecretContent, { kind: 'authorities' }>): Step {
  const { remembered, now } = facts
  if (remembered !== undefined && isValid(remembered.signing, now)) {
    // Another replica may have rotated since, and serve a certificate of what the bundles trust.
    const unknown = strangersIn(facts.bundles, remembered, now)
    const others = unknown.length === 0 ? {} : retire(remembered.retired, unknown, facts)
    return { kind: 'store', event: 'restored', authorities: { ...remembered, ...others } }
  }
  const reason = secret.kind === 'absent' ? 'the Secret is empty' : `the Secret is damaged: ${secret.problem}`
  return { kind: 'create', reason, retired: retire([], trustedNow(facts), facts) }
}

function replaceSigning({ signing, next, ...others }: Authorities, facts: Facts): Step {
  if (next !== undefined && isValid(next, facts.now))
    return { kind: 'store', event: 'promoted', authorities: { signing: next, next: undefined, ...others } }
  const reason = facts.now < signing.notBefore ? 'the authority is not valid yet' : 'the authority has expired'
  return { kind: 'create', reason, retired: retire(others.retired, trustedNow(facts), facts) }
}

function prepareNext(authorities: Authorities, { now, jitter, timing }: Facts): Step | undefined {
  const { signing, next } = authorities
  if (next !== undefined && isValid(next, now)) return undefined
  return now >= authorityDue(signing, jitter, timing, now) ? { kind: 'prepare', authorities } : undefined
}

function renewLeaf({ signing }: Authorities, { leaf, now, jitter, trustedFor, timing }: Facts): Step | undefined {
  const sign: Step = { kind: 'sign', authority: signing }
  if (leaf === undefined || now < leaf.notBefore || now >= leaf.notAfter) return sign
  if (leaf.authority === signing.fingerprint) return now >= renewalOf(leaf, jitter) ? sign : undefined
  const isAccepted = trustedFor.has(leaf.authority)
  const isTrusted = (trustedFor.get(signing.fingerprint) ?? -1) >= timing.trustDelay
  return isTrusted || !isAccepted ? sign : undefined
}

/** So it was before a change of `certificates.mode`: servers of the old mode still serve certificates of the other one. */
function adopt(authorities: Authorities, facts: Facts): Step | undefined {
  const own = new Set(authoritiesOf(authorities).map(({ fingerprint }) => fingerprint))
  const without = facts.bundles.filter(
    ({ isInjected, certificates }) => !isInjected && !certificates.some(({ fingerprint }) => own.has(fingerprint)),
  )
  const foreign = strangersIn(without, authorities, facts.now)
  if (foreign.length === 0) return undefined
  const retired = retire(authorities.retired, foreign, facts)
  return { kind: 'store', event: 'adopted', authorities: { ...authorities, ...retired } }
}

function publish(authorities: Authorities, { bundles, now }: Facts): Step | undefined {
  const bundle = authoritiesOf(authorities).filter((certificate) => isValid(certificate, now))
  const expected = new Set(bundle.map(({ fingerprint }) => fingerprint))
  const differing = bundles.filter(
    ({ isInjected, certificates }) =>
      !isInjected &&
      (certificates.length !== expected.size || !certificates.every(({ fingerprint }) => expected.has(fingerprint))),
  )
  if (differing.length === 0) return undefined
  return { kind: 'publish', configurations: [...new Set(differing.map(({ configuration }) => configuration))], bundle }
}

function promoteTrusted({ signing, next, retired }: Authorities, facts: Facts): Step | undefined {
  if (next === undefined || (facts.trustedFor.get(next.fingerprint) ?? -1) < facts.timing.trustDelay) return undefined
  const authorities = { signing: next, next: undefined, ...retire(retired, [signing], facts) }
  return { kind: 'store', event: 'promoted', authorities }
}

function dropRetired(authorities: Authorities, { now, leaf }: Facts): Step | undefined {
  const { retired, retiredUntil } = authorities
  if (retired.length === 0 || now < retiredUntil) return undefined
  if (retired.some(({ fingerprint }) => fingerprint === leaf?.authority)) return undefined
  return { kind: 'store', event: 'dropped', authorities: { ...authorities, retired: [], retiredUntil: 0 } }
}

function untilDue({ signing, next, retired, retiredUntil }: Authorities, facts: Facts): number {
  const { now, leaf, jitter, timing, trustedFor } = facts
  const untilTrusted = ({ fingerprint }: TrustedCertificate) => {
    const trusted = trustedFor.get(fingerprint)
    return trusted === undefined || trusted >= timing.trustDelay ? [] : [timing.trustDelay - trusted]
  }
  const waits = [
    signing.notAfter - now,
    ...(next === undefined ? [authorityDue(signing, jitter, timing, now) - now] : untilTrusted(next)),
    ...(leaf === undefined || leaf.authority === signing.fingerprint ? [] : untilTrusted(signing)),
    ...(leaf === undefined ? [] : [renewalOf(leaf, jitter) - now]),
    ...(retired.length === 0 ? [] : [retiredUntil - now]),
  ]
  return Math.max(SHORTEST_WAIT, Math.min(TICK, ...waits))
}

/** Returns what a new or prepared authority makes of the Secret. */
export function withCreated(step: Extract<Step, { kind: 'create' | 'prepare' }>, created: Authority): Authorities {
  return step.kind === 'create'
    ? { signing: created, next: undefined, ...step.retired }
    : { ...step.authorities, next: created }
}

function authoritiesOf({ signing, next, retired }: Authorities): readonly TrustedCertificate[] {
  return [signing, ...(next === undefined ? [] : [next]), ...retired]
}

/** Returns the valid certificates that are none of ours. */
function strangersIn(
  bundles: readonly WebhookBundle[],
  authorities: Authorities,
  now: number,
): readonly TrustedCertificate[] {
  const own = new Set(authoritiesOf(authorities).map(({ fingerprint }) => fingerprint))
  return bundles
    .flatMap(({ certificates }) => certificates)
    .filter((certificate) => isValid(certificate, now) && !own.has(certificate.fingerprint))
}

/** Whatever is trusted now stays so: servers may still serve certificates of it. */
function trustedNow({ bundles, now }: Facts): readonly TrustedCertificate[] {
  return bundles.flatMap(({ certificates }) => certificates.filter((certificate) => isValid(certificate, now)))
}

/** They are trusted until the last certificate that they may have signed has expired. */
function retire(
  retired: readonly TrustedCertificate[],
  more: readonly TrustedCertificate[],
  { now, timing }: Facts,
): Retired {
  const all = [...retired, ...more].map(({ pem, fingerprint, notBefore, notAfter }) => ({
    pem,
    fingerprint,
    notBefore,
    notAfter,
  }))
  const each = [...new Map(all.map((certificate) => [certificate.fingerprint, certificate])).values()]
  const until = each.length === 0 ? 0 : now + timing.leafDuration + timing.trustDelay
  return { retired: each.slice(-MOST_RETIRED), retiredUntil: until }
}

/** One that lives longer than the settings now allow is due at once, so that shorter lifetimes apply from an upgrade on. */
function authorityDue(signing: Authority, jitter: number, { authorityDuration }: RotationTiming, now: number): number {
  return signing.notAfter - now > authorityDuration + BACKDATE ? now : renewalOf(signing, jitter)
}

/** Two thirds of the lifetime, or up to a tenth of it earlier: replicas that started together spread out. */
function renewalOf({ notBefore, notAfter }: { notBefore: number; notAfter: number }, jitter: number): number {
  const lifetime = Math.max(0, notAfter - notBefore - BACKDATE)
  return notAfter - lifetime * (1 / 3 + jitter / 10)
}
