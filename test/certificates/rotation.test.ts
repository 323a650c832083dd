// What a replica does next about authorities, bundles and its certificate: a table of facts and steps, then replicas that
// run by it beside each other, with everything that a cluster does to them.
import fc from 'fast-check'
import t from 'tap'
import { propertyRuns } from '../support/property-runs.ts'
import { type Authorities, type SecretContent } from '../../src/certificates/authority-secret.ts'
import type { Authority, TrustedCertificate } from '../../src/certificates/authority.ts'
import {
  BACKDATE,
  nextStep,
  withCreated,
  type Facts,
  type Leaf,
  type RotationTiming,
  type Step,
  type WebhookBundle,
} from '../../src/certificates/next-step.ts'

const DAY = 86_400_000
const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 27)
const TIMING = { authorityDuration: 365 * DAY, leafDuration: 7 * DAY, trustDelay: 2 * MINUTE }

/** An authority that was created `age` ago. */
function authority(name: string, age = 0, lifetime = TIMING.authorityDuration): Authority {
  const created = NOW - age
  return {
    pem: `${name}\n`,
    key: `key of ${name}`,
    fingerprint: name,
    notBefore: created - BACKDATE,
    notAfter: created + lifetime,
  }
}

const A = authority('A', 10 * DAY)
const B = authority('B')
/** Past two thirds of its life. */
const OLD = authority('A', 250 * DAY)
const EXPIRED = authority('A', 366 * DAY)
const FUTURE = authority('A', -2 * DAY)

function holding(signing: Authority, changes: Partial<Authorities> = {}): SecretContent {
  return { kind: 'authorities', authorities: { signing, next: undefined, retired: [], retiredUntil: 0, ...changes } }
}

function leafOf(authority: Authority, age = 0): Leaf {
  return {
    authority: authority.fingerprint,
    notBefore: NOW - age - BACKDATE,
    notAfter: NOW - age + TIMING.leafDuration,
  }
}

function bundle(...certificates: readonly TrustedCertificate[]): WebhookBundle {
  return { configuration: 'mutatingwebhookconfigurations/onramp', isInjected: false, certificates }
}

const SETTLED: Facts = {
  now: NOW,
  secret: holding(A),
  remembered: undefined,
  bundles: [bundle(A), bundle(A)],
  trustedFor: new Map([['A', DAY]]),
  leaf: leafOf(A),
  jitter: 0,
  timing: TIMING,
}

/** The step in one line. */
function say(step: Step): string {
  const names = (list: readonly { fingerprint: string }[]) => list.map(({ fingerprint }) => fingerprint).join('+')
  switch (step.kind) {
    case 'create':
      return `create, keeping ${names(step.retired.retired) || 'nothing'}: ${step.reason}`
    case 'prepare':
      return 'prepare'
    case 'store': {
      const { signing, next, retired } = step.authorities
      return `${step.event}: ${signing.fingerprint}, next ${next?.fingerprint ?? '-'}, retired ${names(retired) || '-'}`
    }
    case 'publish':
      return `publish ${names(step.bundle)}`
    case 'sign':
      return `sign by ${step.authority.fingerprint}`
    case 'wait':
      return `wait ${step.milliseconds / 1000} s`
  }
}

const UNREADABLE: SecretContent = { kind: 'unreadable', problem: 'tls.crt, tls.key: the key is of another certificate' }
const ABSENT: SecretContent = { kind: 'absent' }
const FOREIGN = authority('F')
const knowing = (signing: Authority): Authorities => ({ signing, next: undefined, retired: [], retiredUntil: 0 })
const injected = { ...bundle(FOREIGN), isInjected: true }

const ROWS: readonly (readonly [string, Partial<Facts>, string])[] = [
  ['nothing is due', {}, 'wait 30 s'],
  // The Secret
  [
    'the first replica of an installation',
    { secret: ABSENT, bundles: [], trustedFor: new Map(), leaf: undefined },
    'create, keeping nothing: the Secret is empty',
  ],
  [
    'the Secret was deleted, and we know its content',
    { secret: ABSENT, remembered: knowing(A) },
    'restored: A, next -, retired -',
  ],
  [
    'deleted during a rotation: what was published stays so',
    { secret: ABSENT, remembered: { ...knowing(A), next: B } },
    'restored: A, next B, retired -',
  ],
  [
    'the Secret was deleted, and this replica has just started',
    { secret: ABSENT, leaf: undefined },
    'create, keeping A: the Secret is empty',
  ],
  [
    'deleted, and we know less than the bundles trust: another replica may use the rest',
    { secret: ABSENT, remembered: knowing(A), bundles: [bundle(A, B), bundle(A, B)] },
    'restored: A, next -, retired B',
  ],
  [
    'deleted, and what we know has expired',
    { secret: ABSENT, remembered: knowing(EXPIRED), bundles: [bundle(EXPIRED)] },
    'create, keeping nothing: the Secret is empty',
  ],
  [
    'the Secret is damaged, and we know its content',
    { secret: UNREADABLE, remembered: knowing(A) },
    'restored: A, next -, retired -',
  ],
  [
    'the Secret is damaged, and this replica has just started',
    { secret: UNREADABLE, leaf: undefined },
    'create, keeping A: the Secret is damaged: tls.crt, tls.key: the key is of another certificate',
  ],
  [
    'another replica replaced the authority: it wins',
    { secret: holding(B, { retired: [A] }), remembered: knowing(A) },
    'publish B+A',
  ],
  // The bundles
  ['a bundle was emptied', { bundles: [bundle(A), bundle()], trustedFor: new Map() }, 'publish A'],
  ['a foreign certificate beside ours is removed', { bundles: [bundle(A, FOREIGN), bundle(A)] }, 'publish A'],
  [
    'a bundle trusts only others, as after a change of the mode: they stay trusted',
    { bundles: [bundle(FOREIGN), bundle(FOREIGN)], trustedFor: new Map(), leaf: undefined },
    'sign by A',
  ],
  [
    'the same with a certificate of our own',
    { bundles: [bundle(FOREIGN), bundle(FOREIGN)], trustedFor: new Map() },
    'adopted: A, next -, retired F',
  ],
  [
    'then both are published',
    {
      secret: holding(A, { retired: [FOREIGN], retiredUntil: NOW + DAY }),
      bundles: [bundle(FOREIGN)],
      trustedFor: new Map(),
    },
    'publish A+F',
  ],
  ['only others, but expired', { bundles: [bundle(authority('F', 400 * DAY))], trustedFor: new Map() }, 'publish A'],
  ['cainjector keeps the bundle: it is left alone', { bundles: [injected], trustedFor: new Map() }, 'wait 30 s'],
  [
    'the order of a bundle is of no importance',
    { secret: holding(A, { next: B }), bundles: [bundle(B, A)] },
    'wait 30 s',
  ],
  ['without configurations there is nothing to publish', { bundles: [] }, 'wait 30 s'],
  // The certificate
  ['there is none', { leaf: undefined }, 'sign by A'],
  ['before two thirds of its life', { leaf: leafOf(A, 4.6 * DAY) }, 'wait 30 s'],
  ['after two thirds of its life', { leaf: leafOf(A, 4.7 * DAY) }, 'sign by A'],
  ['with jitter up to a tenth earlier', { leaf: leafOf(A, 4 * DAY), jitter: 1 }, 'sign by A'],
  ['but not more', { leaf: leafOf(A, 3.9 * DAY), jitter: 1 }, 'wait 30 s'],
  ['it expired during a pause', { leaf: leafOf(A, 8 * DAY) }, 'sign by A'],
  ['the clock went back before its first day', { leaf: leafOf(A, -2 * DAY) }, 'sign by A'],
  ['the clock went back by half an hour: still valid', { leaf: leafOf(A, -BACKDATE / 2) }, 'wait 30 s'],
  ['it is due soon', { leaf: leafOf(A, (14 / 3) * DAY - 5000) }, 'wait 5 s'],
  [
    'of the retired authority, while not every bundle has trusted the new one for long enough',
    {
      secret: holding(B, { retired: [A], retiredUntil: NOW + DAY }),
      bundles: [bundle(B, A)],
      trustedFor: new Map([
        ['A', DAY],
        ['B', MINUTE],
      ]),
    },
    'wait 30 s',
  ],
  [
    'and once it has',
    {
      secret: holding(B, { retired: [A], retiredUntil: NOW + DAY }),
      bundles: [bundle(B, A)],
      trustedFor: new Map([
        ['A', DAY],
        ['B', 2 * MINUTE],
      ]),
    },
    'sign by B',
  ],
  [
    'of an authority that nothing trusts any more: there is nothing to wait for',
    { secret: holding(B), bundles: [bundle(B)], trustedFor: new Map([['B', 0]]) },
    'sign by B',
  ],
  // The rotation
  ['the authority is past two thirds', { secret: holding(OLD) }, 'prepare'],
  ['with jitter a little earlier', { secret: holding(authority('A', 210 * DAY)), jitter: 1 }, 'prepare'],
  ['without it not yet', { secret: holding(authority('A', 210 * DAY)), jitter: 0 }, 'wait 30 s'],
  ['it lives longer than is now allowed', { timing: { ...TIMING, authorityDuration: 30 * DAY } }, 'prepare'],
  ['the next one is published beside it', { secret: holding(OLD, { next: B }) }, 'publish A+B'],
  [
    'it is published, but not for long enough',
    {
      secret: holding(OLD, { next: B }),
      bundles: [bundle(OLD, B)],
      trustedFor: new Map([
        ['A', DAY],
        ['B', MINUTE + 59_000],
      ]),
    },
    'wait 1 s',
  ],
  [
    'long enough',
    {
      secret: holding(OLD, { next: B }),
      bundles: [bundle(OLD, B)],
      trustedFor: new Map([
        ['A', DAY],
        ['B', 2 * MINUTE],
      ]),
    },
    'promoted: B, next -, retired A',
  ],
  [
    'one bundle is left to cainjector and never trusts it',
    { secret: holding(OLD, { next: B }), bundles: [bundle(OLD, B), injected], trustedFor: new Map() },
    'wait 30 s',
  ],
  [
    'the retired one is kept until certificates of it have expired',
    {
      secret: holding(B, { retired: [A], retiredUntil: NOW + 1000 }),
      bundles: [bundle(B, A)],
      leaf: leafOf(B),
    },
    'wait 1 s',
  ],
  [
    'and dropped then',
    { secret: holding(B, { retired: [A], retiredUntil: NOW }), bundles: [bundle(B, A)], leaf: leafOf(B) },
    'dropped: B, next -, retired -',
  ],
  [
    'but not under our own certificate',
    {
      secret: holding(B, { retired: [A], retiredUntil: NOW }),
      bundles: [bundle(B, A)],
      trustedFor: new Map([
        ['A', DAY],
        ['B', 0],
      ]),
    },
    'wait 0.25 s',
  ],
  [
    'a retired one that has expired leaves the bundle',
    {
      secret: holding(B, { retired: [EXPIRED], retiredUntil: NOW + DAY }),
      bundles: [bundle(B, EXPIRED)],
      leaf: leafOf(B),
    },
    'publish B',
  ],
  // Near the end
  [
    'the authority has expired, the next one is there',
    { secret: holding(EXPIRED, { next: B }), bundles: [bundle(EXPIRED, B)] },
    'promoted: B, next -, retired -',
  ],
  ['it has expired, and there is none', { secret: holding(EXPIRED) }, 'create, keeping A: the authority has expired'],
  [
    'it is not valid yet: the clock of the API server was wrong and has been put right',
    { secret: holding(FUTURE), bundles: [bundle(FUTURE)] },
    'create, keeping nothing: the authority is not valid yet',
  ],
  [
    'the next one is not valid yet: it is prepared once more',
    { secret: holding(OLD, { next: authority('B', -2 * DAY) }) },
    'prepare',
  ],
]

for (const [title, changes, expected] of ROWS)
  t.test(title, (t) => {
    t.equal(say(nextStep({ ...SETTLED, ...changes })), expected)
    t.end()
  })

// The rest runs replicas by these steps on a clock of its own, a second at a time.

const FAST: RotationTiming = { authorityDuration: 30 * MINUTE, leafDuration: 10 * MINUTE, trustDelay: 2 * MINUTE }
/** What API servers see of the webhook configurations may be that old. */
const LAG = 90_000
const CONFIGURATIONS = ['mutating', 'validating'] as const

type Harm =
  | { readonly kind: 'pause' | 'restart'; readonly replica: number; readonly seconds: number }
  | { readonly kind: 'delete-secret' | 'damage-secret' | 'empty-bundles' | 'foreign-bundles' }
  | { readonly kind: 'clock'; readonly seconds: number }

interface Timed {
  readonly at: number
  readonly harm: Harm
}

interface Replica {
  leaf: Leaf | undefined
  remembered: Authorities | undefined
  readonly trustedSince: Map<string, number>
  jitter: number
  wakesAt: number
  /** What it decided, from what it read, and when it is carried out. */
  pending: { readonly step: Step; readonly versions: readonly number[]; readonly at: number } | undefined
  seen: readonly ReadonlySet<string>[]
  /** It had no certificate that was accepted, so any other is better, even one that some API servers do not trust yet. */
  excusedUntil: number
}

/** A cluster with its Secret, two bundles, and replicas; `failures` are certificates that an API server would refuse. */
class World {
  readonly failures: string[] = []
  #second = 0
  #offset = 0
  #made = 0
  #secret: SecretContent = ABSENT
  #versions = [0, 0, 0]
  readonly #known = new Map<string, TrustedCertificate>()
  readonly #bundles = CONFIGURATIONS.map((): { at: number; names: ReadonlySet<string> }[] => [
    { at: 0, names: new Set() },
  ])
  readonly #replicas: Replica[]
  #harmedUntil = 0

  constructor(jitters: readonly number[]) {
    this.#replicas = jitters.map((jitter, index) => ({ ...this.#fresh(), jitter, wakesAt: index * 700 }))
  }

  get #time(): number {
    return this.#second * 1000
  }

  get #now(): number {
    return NOW + this.#time + this.#offset
  }

  run(seconds: number, harms: readonly Timed[]): void {
    for (const end = this.#second + seconds; this.#second < end; this.#second++) {
      for (const { at, harm } of harms) if (at === this.#second) this.#harm(harm)
      for (const replica of this.#replicas) this.#advance(replica)
      for (const [index, replica] of this.#replicas.entries()) this.#check(replica, index)
    }
  }

  /** Whether every replica would be called with success, and who signs. */
  get state() {
    const secret = this.#secret.kind === 'authorities' ? this.#secret.authorities : undefined
    return {
      isServing: this.#replicas.every((replica) => this.#isReady(replica)),
      signing: secret?.signing.fingerprint,
      retired: secret?.retired.length,
      bundles: this.#bundles.map((history) => [...(history.at(-1)?.names ?? [])].toSorted().join('+')),
      created: this.#made,
    }
  }

  #fresh(): Omit<Replica, 'jitter'> {
    return {
      leaf: undefined,
      remembered: undefined,
      trustedSince: new Map(),
      wakesAt: this.#time,
      pending: undefined,
      seen: [],
      excusedUntil: 0,
    }
  }

  #harm(harm: Harm): void {
    switch (harm.kind) {
      case 'pause': {
        const replica = this.#replicas[harm.replica % this.#replicas.length]
        const until = this.#time + harm.seconds * 1000
        if (replica === undefined) return
        if (replica.pending !== undefined) replica.pending = { ...replica.pending, at: until }
        // Unready until it has read again, as kubelet has found it.
        Object.assign(replica, { wakesAt: until, seen: [] })
        return
      }
      case 'restart':
        Object.assign(this.#replicas[harm.replica % this.#replicas.length] ?? {}, this.#fresh())
        return
      case 'delete-secret':
      case 'damage-secret':
        this.#secret = harm.kind === 'delete-secret' ? ABSENT : UNREADABLE
        this.#changed(2)
        return
      case 'empty-bundles':
      case 'foreign-bundles':
        if (harm.kind === 'foreign-bundles') this.#known.set('F', authority('F', -this.#time - this.#offset))
        for (const index of [0, 1]) this.#setBundle(index, new Set(harm.kind === 'empty-bundles' ? [] : ['F']))
        this.#harmedUntil = this.#time + LAG + MINUTE
        return
      case 'clock':
        this.#offset += harm.seconds * 1000
    }
  }

  #advance(replica: Replica): void {
    const { pending } = replica
    if (pending !== undefined && pending.at <= this.#time) {
      replica.pending = undefined
      replica.wakesAt = this.#time
      this.#take(replica, pending.step, pending.versions)
    }
    if (replica.pending !== undefined || replica.wakesAt > this.#time) return
    replica.seen = this.#bundles.map((history) => history.at(-1)?.names ?? new Set())
    const step = nextStep(this.#read(replica))
    if (step.kind === 'wait') replica.wakesAt = this.#time + step.milliseconds
    // Whatever is read may change before it is written: the versions find it.
    else replica.pending = { step, versions: [...this.#versions], at: this.#time + (this.#second % 3) * 1000 }
  }

  #read(replica: Replica): Facts {
    const secret = this.#secret
    if (secret.kind === 'authorities') replica.remembered = secret.authorities
    const { signing, next } = secret.kind === 'authorities' ? secret.authorities : {}
    const wanted = [signing?.fingerprint, next?.fingerprint, replica.leaf?.authority].filter((one) => one !== undefined)
    const trusted = wanted.filter((one) => replica.seen.every((names) => names.has(one)))
    for (const one of replica.trustedSince.keys()) if (!trusted.includes(one)) replica.trustedSince.delete(one)
    for (const one of trusted) if (!replica.trustedSince.has(one)) replica.trustedSince.set(one, this.#time)
    return {
      now: this.#now,
      secret,
      remembered: replica.remembered,
      bundles: replica.seen.map((names, index) => ({
        configuration: CONFIGURATIONS[index] ?? '',
        isInjected: false,
        certificates: [...names].flatMap((name) => this.#known.get(name) ?? []),
      })),
      trustedFor: new Map([...replica.trustedSince].map(([one, since]) => [one, this.#time - since])),
      leaf: replica.leaf,
      jitter: replica.jitter,
      timing: FAST,
    }
  }

  #take(replica: Replica, step: Step, versions: readonly number[]): void {
    if (step.kind === 'sign') {
      if (!this.#isReady(replica)) replica.excusedUntil = this.#time + LAG + MINUTE
      const notAfter = Math.min(this.#now + FAST.leafDuration, step.authority.notAfter)
      replica.leaf = { authority: step.authority.fingerprint, notBefore: this.#now - BACKDATE, notAfter }
    } else if (step.kind === 'publish') {
      for (const [index, name] of CONFIGURATIONS.entries())
        if (step.configurations.includes(name) && versions[index] === this.#versions[index])
          this.#setBundle(index, new Set(step.bundle.map(({ fingerprint }) => fingerprint)))
    } else if (step.kind !== 'wait' && versions[2] === this.#versions[2]) {
      const authorities = step.kind === 'store' ? step.authorities : withCreated(step, this.#create())
      this.#secret = { kind: 'authorities', authorities }
      replica.remembered = authorities
      this.#changed(2)
    }
  }

  #create(): Authority {
    const name = `A${++this.#made}`
    const made = authority(name, -(this.#now - NOW), FAST.authorityDuration)
    this.#known.set(name, made)
    return made
  }

  #setBundle(index: number, names: ReadonlySet<string>): void {
    this.#bundles[index]?.push({ at: this.#time, names })
    this.#changed(index)
  }

  #changed(index: number): void {
    this.#versions = this.#versions.map((version, place) => (place === index ? version + 1 : version))
    // The watch wakes those that are not paused.
    if (index < 2) for (const replica of this.#replicas) if (replica.seen.length > 0) replica.wakesAt = this.#time
  }

  #isReady({ leaf, seen }: Replica): boolean {
    if (leaf === undefined || seen.length === 0) return false
    return this.#now < leaf.notAfter && this.#now >= leaf.notBefore && seen.every((names) => names.has(leaf.authority))
  }

  /** No API server may refuse a certificate of a ready replica, however old its view. */
  #check(replica: Replica, index: number): void {
    const { leaf } = replica
    if (leaf === undefined || !this.#isReady(replica) || this.#time < this.#harmedUntil) return
    if (this.#time < replica.excusedUntil) return
    const views = this.#bundles.flatMap((history) =>
      history.filter((_, place) => (history[place + 1]?.at ?? Infinity) > this.#time - LAG).map(({ names }) => names),
    )
    if (!views.every((names) => names.has(leaf.authority)))
      this.failures.push(`${this.#second} s: replica ${index} serves ${leaf.authority}`)
  }
}

t.test('authorities rotate for hours, and every certificate is accepted all the time', (t) => {
  const world = new World([0.2, 0.7])
  world.run(6 * 3600, [])
  t.same(world.failures, [])
  t.equal(world.state.isServing, true)
  t.ok(world.state.created >= 15, `${world.state.created} authorities`)
  t.ok(world.state.created <= 22, `${world.state.created} authorities: one for each rotation`)
  t.ok((world.state.retired ?? 9) <= 1)
  t.end()
})

t.test('three replicas that start at once agree on one authority', (t) => {
  const world = new World([0, 0, 0])
  world.run(60, [])
  t.match(world.state, { isServing: true, signing: 'A1', bundles: ['A1', 'A1'] })
  t.end()
})

t.test(
  'a replica that was paused through a rotation restores what it knew, and takes no trust from the others',
  (t) => {
    const world = new World([0, 1])
    // Replica 1 prepares after 17 minutes and promotes two minutes later; it is paused as the Secret is deleted.
    const harms: readonly Timed[] = [
      { at: 960, harm: { kind: 'pause', replica: 0, seconds: 300 } },
      { at: 1240, harm: { kind: 'delete-secret' } },
      { at: 1240, harm: { kind: 'pause', replica: 1, seconds: 25 } },
    ]
    world.run(1230, harms)
    t.match(world.state, { signing: 'A2', bundles: ['A1+A2', 'A1+A2'] })
    world.run(60, harms)
    t.match(world.state, { signing: 'A1', isServing: true })
    world.run(600, harms)
    t.same(world.failures, [])
    t.end()
  },
)

const replica = fc.nat(1)
const HARM: fc.Arbitrary<Harm> = fc.oneof(
  fc.record({ kind: fc.constant('pause' as const), replica, seconds: fc.integer({ min: 1, max: 2400 }) }),
  fc.record({ kind: fc.constant('restart' as const), replica, seconds: fc.constant(0) }),
  fc.record({ kind: fc.constantFrom('delete-secret' as const, 'damage-secret' as const) }),
)
const BUNDLE_HARM: fc.Arbitrary<Harm> = fc.oneof(
  HARM,
  fc.record({ kind: fc.constantFrom('empty-bundles' as const, 'foreign-bundles' as const) }),
  fc.record({ kind: fc.constant('clock' as const), seconds: fc.integer({ min: -86_400, max: 86_400 }) }),
)
const during = (harm: fc.Arbitrary<Harm>) =>
  fc.array(fc.record({ at: fc.integer({ min: 300, max: 7200 }), harm }), { maxLength: 8 })

t.test('pauses, restarts, and Secrets that are deleted or damaged make no certificate that is refused', (t) => {
  fc.assert(
    fc.property(during(HARM), fc.double({ min: 0, max: 1, noNaN: true }), (harms, jitter) => {
      const world = new World([jitter, 1 - jitter])
      world.run(2 * 3600, harms)
      world.run(3600, [])
      t.same(world.failures, [], JSON.stringify(harms))
      return world.failures.length === 0 && world.state.isServing
    }),
    propertyRuns(15),
  )
  t.end()
})

t.test(
  'after bundles that were emptied or replaced and clocks that jumped, every replica serves within a minute',
  (t) => {
    fc.assert(
      fc.property(during(BUNDLE_HARM), (harms) => {
        const world = new World([0.1, 0.9])
        // A pause may last that long.
        world.run(2 * 3600, harms)
        world.run(2400 + 60, [])
        return world.state.isServing
      }),
      propertyRuns(15),
    )
    t.end()
  },
)
