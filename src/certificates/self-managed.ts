/**
 * Keeps this replica's certificate, the authorities and the CA bundles as next-step.ts decides. Nothing depends on a long
 * timer: after a pause of the process, or a change of a clock, the next round starts from what it reads then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { readSecret, writeSecret, type Authorities, type SecretData } from './authority-secret.ts'
import { bundleOf, readAuthority, readCertificates, type Authority } from './authority.ts'
import { createAuthority, signCertificate, type Issued } from './issue.ts'
import { BACKDATE, nextStep, withCreated, type Facts, type Leaf, type RotationTiming, type Step } from './next-step.ts'
import { WriteBudget } from './write-budget.ts'

/** Where the authorities and the bundles are kept: the API server. Every function throws if it cannot be asked. */
export interface AuthorityStore<Secret extends StoredSecret, Configuration extends StoredConfiguration> {
  /** Milliseconds since 1970 by the clock of the API server. */
  now(): number
  readConfigurations(signal: AbortSignal): Promise<readonly Configuration[]>
  readSecret(signal: AbortSignal): Promise<Secret | undefined>
  /** Returns false if it has changed since it was read. */
  writeSecret(data: SecretData, over: Secret | undefined, signal: AbortSignal): Promise<boolean>
  publish(over: Configuration, bundle: string, signal: AbortSignal): Promise<boolean>
}

export interface StoredSecret {
  readonly data: SecretData
}

export interface StoredConfiguration {
  readonly configuration: string
  readonly isInjected: boolean
  readonly webhooks: readonly { readonly name: string; readonly caBundle: string }[]
}

export interface SelfManagedOptions<Secret extends StoredSecret, Configuration extends StoredConfiguration> {
  readonly store: AuthorityStore<Secret, Configuration>
  /** DNS names and IP addresses of the certificate. */
  readonly hosts: readonly string[]
  readonly timing: RotationTiming
  readonly observer: CertificateObserver
  /** From 0 to 1. */
  readonly jitter: number
}

/** None of these may throw. */
export interface CertificateObserver {
  /** New connections should use it from now on. */
  signed(leaf: Issued, notAfter: number): void
  /** The authorities that are in force. */
  known(authorities: Authorities): void
  /** A step is done; `isDone` is false if another replica was faster. */
  stepped(step: Exclude<Step, { kind: 'wait' }>, isDone: boolean): void
  /** `wait` is the time until the next try, in milliseconds. */
  failed(error: unknown, wait: number): void
}

/** Milliseconds. */
const READ_TIMEOUT = 15_000
const RETRY = { least: 1_000, most: 20_000 }

type Round<Secret, Configuration> = Facts & {
  readonly stored: { readonly secret: Secret | undefined; readonly configurations: readonly Configuration[] }
}

export class SelfManagedCertificates<Secret extends StoredSecret, Configuration extends StoredConfiguration> {
  readonly #options: SelfManagedOptions<Secret, Configuration>
  readonly #stop = new AbortController()
  readonly #budget = new WriteBudget()
  readonly #trustedSince = new Map<string, number>()
  #pause = new AbortController()
  #isWoken = false
  #running: Promise<void> = Promise.resolve()
  #last: Facts | undefined
  #leaf: Leaf | undefined
  #remembered: Authorities | undefined
  #failures = 0

  constructor(options: SelfManagedOptions<Secret, Configuration>) {
    this.#options = options
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.wake()
    await this.#running
  }

  /** Starts a round now: something has changed. */
  wake(): void {
    this.#isWoken = true
    this.#pause.abort()
  }

  /** Returns why the API server would not accept the certificate; undefined if it would. */
  problem(): string | undefined {
    const now = this.#options.store.now()
    if (this.#leaf === undefined || this.#last === undefined) return 'there is no certificate yet'
    const { authority, notBefore, notAfter } = this.#leaf
    if (now >= notAfter) return `the certificate expired on ${new Date(notAfter).toISOString()}`
    if (now < notBefore) return `the certificate is not valid before ${new Date(notBefore).toISOString()}`
    const distrusting = this.#last.bundles.find(({ certificates }) => !certificates.some(isOf(authority)))
    if (distrusting === undefined) return undefined
    const { configuration, isInjected } = distrusting
    return isInjected
      ? `the CA bundle of ${configuration} is left to cert-manager, as its annotation says`
      : `the CA bundle of ${configuration} does not trust the certificate yet`
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isWoken = false
      await this.#rest(await this.#round())
    }
  }

  /** A wake-up ends it, unless the wait is a retry or a write that has to wait its turn. */
  async #rest({ milliseconds, isFixed }: Rest): Promise<void> {
    if (this.#stop.signal.aborted || (this.#isWoken && !isFixed)) return
    this.#pause = new AbortController()
    const signal = isFixed ? this.#stop.signal : AbortSignal.any([this.#stop.signal, this.#pause.signal])
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
  }

  async #round(): Promise<Rest> {
    try {
      const round = await this.#read()
      const step = nextStep(round)
      this.#failures = 0
      if (step.kind === 'wait') return { milliseconds: step.milliseconds, isFixed: false }
      const turn = step.kind === 'sign' ? 0 : this.#budget.take(performance.now())
      if (turn > 0) return { milliseconds: turn, isFixed: true }
      const isDone = await this.#take(step, round)
      this.#options.observer.stepped(step, isDone)
      // Replicas that were refused together should not try again together.
      return { milliseconds: isDone ? 0 : 50 + 200 * Math.random(), isFixed: true }
    } catch (error) {
      if (this.#stop.signal.aborted) return { milliseconds: 0, isFixed: false }
      await this.#signWithout()
      const milliseconds = Math.min(RETRY.most, RETRY.least * 2 ** this.#failures++) * (0.5 + Math.random() / 2)
      this.#options.observer.failed(error, milliseconds)
      return { milliseconds, isFixed: true }
    }
  }

  /**
   * The configurations first: whatever they trust was in the Secret before, so a Secret that is read later has it, and
   * nothing that another replica just published is taken for foreign.
   */
  async #read(): Promise<Round<Secret, Configuration>> {
    const { store, jitter, timing } = this.#options
    const signal = this.#timeout()
    const configurations = await store.readConfigurations(signal)
    const stored = await store.readSecret(signal)
    const secret = readSecret(stored?.data)
    if (secret.kind === 'authorities') this.#remember(secret.authorities)
    const bundles = configurations.flatMap(({ configuration, isInjected, webhooks }) =>
      webhooks.map(({ caBundle }) => ({ configuration, isInjected, certificates: readCertificates(caBundle) })),
    )
    const facts = { secret, bundles, remembered: this.#remembered, leaf: this.#leaf, jitter, timing, now: store.now() }
    this.#last = { ...facts, trustedFor: this.#noteTrust(facts) }
    return { ...this.#last, stored: { secret: stored, configurations } }
  }

  /** Monotonic, so no change of a clock shortens or lengthens the time. */
  #noteTrust({ bundles, secret, leaf }: Omit<Facts, 'trustedFor'>): ReadonlyMap<string, number> {
    const { signing, next } = secret.kind === 'authorities' ? secret.authorities : {}
    const wanted = [signing?.fingerprint, next?.fingerprint, leaf?.authority].filter((one) => one !== undefined)
    const trusted = wanted.filter((one) => bundles.every(({ certificates }) => certificates.some(isOf(one))))
    const now = performance.now()
    for (const one of this.#trustedSince.keys()) if (!trusted.includes(one)) this.#trustedSince.delete(one)
    for (const one of trusted) if (!this.#trustedSince.has(one)) this.#trustedSince.set(one, now)
    return new Map([...this.#trustedSince].map(([one, since]) => [one, now - since]))
  }

  async #take(step: Exclude<Step, { kind: 'wait' }>, round: Round<Secret, Configuration>): Promise<boolean> {
    switch (step.kind) {
      case 'create':
      case 'prepare':
        return await this.#store(withCreated(step, await this.#createAuthority(round.now)), round)
      case 'store':
        return await this.#store(step.authorities, round)
      case 'publish':
        return await this.#publish(step, round)
      case 'sign':
        await this.#sign(step.authority, round.now)
        return true
    }
  }

  async #store(authorities: Authorities, { stored }: Round<Secret, Configuration>): Promise<boolean> {
    const isStored = await this.#options.store.writeSecret(writeSecret(authorities), stored.secret, this.#timeout())
    if (isStored) this.#remember(authorities)
    return isStored
  }

  async #publish(step: Extract<Step, { kind: 'publish' }>, { stored }: Round<Secret, Configuration>): Promise<boolean> {
    const bundle = bundleOf(step.bundle)
    const differing = stored.configurations.filter(({ configuration }) => step.configurations.includes(configuration))
    const signal = this.#timeout()
    const done = await Promise.all(differing.map((one) => this.#options.store.publish(one, bundle, signal)))
    return done.every(Boolean)
  }

  async #createAuthority(now: number): Promise<Authority> {
    const notAfter = now + this.#options.timing.authorityDuration
    const { certificate, key } = await createAuthority('istio-onramp', validity(now, notAfter))
    const authority = readAuthority(certificate, key)
    if (typeof authority === 'string') throw new Error(authority)
    return authority
  }

  async #sign(authority: Authority, now: number): Promise<void> {
    // Certificates have no fractions of a second.
    const notAfter = Math.floor(Math.min(now + this.#options.timing.leafDuration, authority.notAfter) / 1000) * 1000
    const issuer = { certificate: authority.pem, key: authority.key }
    const leaf = await signCertificate(issuer, this.#options.hosts, validity(now, notAfter))
    this.#leaf = { authority: authority.fingerprint, notBefore: now - BACKDATE, notAfter }
    this.#options.observer.signed(leaf, notAfter)
  }

  /** An API server that cannot be read must not let the certificate expire: other API servers may still call us. */
  async #signWithout(): Promise<void> {
    if (this.#last === undefined) return
    const step = nextStep({ ...this.#last, leaf: this.#leaf, now: this.#options.store.now() })
    if (step.kind !== 'sign') return
    await this.#sign(step.authority, this.#options.store.now())
    this.#options.observer.stepped(step, true)
  }

  #remember(authorities: Authorities): void {
    this.#remembered = authorities
    this.#options.observer.known(authorities)
  }

  #timeout(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(READ_TIMEOUT)])
  }
}

interface Rest {
  readonly milliseconds: number
  readonly isFixed: boolean
}

function isOf(fingerprint: string): (certificate: { readonly fingerprint: string }) => boolean {
  return (certificate) => certificate.fingerprint === fingerprint
}

function validity(now: number, notAfter: number) {
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(notAfter) }
}
