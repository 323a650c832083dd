/** The metrics of `/metrics`, in a registry of their own. No label has a value that a request can choose freely. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AdmissionOperation } from '../admission/review.ts'
import type { Verdict } from '../admission/verdict.ts'
import type { HttpErrorCode } from '../errors.ts'
import { hasPodTemplate } from '../kubernetes/pod-template.ts'

export interface Metrics {
  readonly registry: Registry
  countVerdict(path: string, kind: string, operation: AdmissionOperation, verdict: Verdict, seconds: number): void
  countBadRequest(reason: HttpErrorCode): void
  /** `read` is called when the metrics are read. */
  showInFlight(read: () => InFlight): void
  setDraining(): void
  countCertificateReload(result: 'loaded' | 'refused'): void
  countConfigurationReload(result: 'loaded' | 'refused'): void
  setCertificateExpiry(notAfter: Date): void
  countLostLogLines(lines: number): void
}

/** The reviews being read or decided. */
export interface InFlight {
  readonly requests: number
  readonly bytes: number
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: PREFIX })
  const counted = createCounters([registry])
  let readInFlight = (): InFlight => ({ requests: 0, bytes: 0 })
  const shown = createGauges([registry], () => readInFlight())
  return {
    registry,
    countVerdict(path, kind, operation, verdict, seconds) {
      const { kind: outcome, reason } = verdict
      counted.requests(path, knownKind(kind), operation, outcome, reason)
      for (const { rule, action, reason: why } of verdict.decisions) counted.decisions(rule, action, why)
      for (const why of verdict.failOpen) counted.failOpen.inc({ reason: why })
      for (const why of verdict.refusedSettings) counted.refusedSettings.inc({ reason: why })
      for (const { rule, by, setting } of verdict.exemptions) counted.exemptions.inc({ rule, by, setting })
      counted.duration.observe({ path }, seconds)
    },
    countBadRequest: (reason) => counted.badRequests.inc({ reason }),
    showInFlight: (read) => void (readInFlight = read),
    setDraining: () => shown.draining.set(1),
    countCertificateReload: (result) => counted.reloads.inc({ result }),
    countConfigurationReload(result) {
      counted.configurationReloads.inc({ result })
      shown.configurationRefused.set(result === 'refused' ? 1 : 0)
    },
    countLostLogLines: (lines) => counted.lostLogLines.inc(lines),
    setCertificateExpiry: (notAfter) => shown.certificateExpiry.set(notAfter.getTime() / 1000),
  }
}

const PREFIX = 'istio_onramp_'

function createCounters(registers: Registry[]) {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers })
  const gathered = gatheredCounter(registers)
  return {
    requests: gathered(
      'admission_requests_total',
      'Reviews answered, by path, kind, operation, verdict and reason code.',
      ['path', 'kind', 'operation', 'verdict', 'reason'],
    ),
    decisions: gathered(
      'decisions_total',
      'Decisions of the rules, one for each probe, hook or object, by rule, action and reason code.',
      ['rule', 'action', 'reason'],
    ),
    failOpen: counter(
      'fail_open_total',
      'Objects admitted unchanged, in whole or in part, because something could not be read or determined, by reason code.',
      ['reason'],
    ),
    refusedSettings: counter(
      'refused_settings_total',
      "Objects admitted although a user's annotation has a value that is not allowed, by reason code.",
      ['reason'],
    ),
    exemptions: counter(
      'exemptions_total',
      'Objects that an annotation exempted from a rule, by rule, owner of the annotation (object or namespace) and value.',
      ['rule', 'by', 'setting'],
    ),
    badRequests: counter('bad_requests_total', 'Requests that could not be answered with a review.', ['reason']),
    reloads: counter('certificate_reloads_total', 'Changes of the certificate files, by whether they could be used.', [
      'result',
    ]),
    configurationReloads: counter(
      'configuration_reloads_total',
      'Changes of the configuration file, by whether they could be used.',
      ['result'],
    ),
    lostLogLines: counter(
      'log_lines_lost_total',
      'Log lines that could not be written, for example to a full disk.',
      [],
    ),
    duration: new Histogram({
      name: `${PREFIX}admission_duration_seconds`,
      help: 'Time from the complete body to the answer.',
      labelNames: ['path'],
      buckets: [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
      registers,
    }),
  }
}

interface Gathered {
  readonly labels: Readonly<Record<string, string>>
  count: number
}

/** Counters of every review. prom-client needs a microsecond for each label set, so it gets the sums when it is read. */
function gatheredCounter(registers: Registry[]) {
  return (name: string, help: string, labelNames: string[]) => {
    const known = new Map<string, Gathered>()
    new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers,
      collect() {
        for (const { labels, count } of known.values()) this.inc(labels, count)
        known.clear()
      },
    })
    return (...values: readonly string[]): void => {
      const key = values.join(' ')
      const found = known.get(key)
      if (found !== undefined) found.count += 1
      else
        known.set(key, {
          labels: Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? ''])),
          count: 1,
        })
    }
  }
}

function createGauges(registers: Registry[], inFlight: () => InFlight) {
  const gauge = (name: string, help: string, read?: () => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      ...(read === undefined
        ? {}
        : {
            collect() {
              this.set(read())
            },
          }),
    })
  return {
    requestsInFlight: gauge('requests_in_flight', 'Reviews being read or decided.', () => inFlight().requests),
    bytesInFlight: gauge('bytes_in_flight', 'Bytes of the reviews in flight.', () => inFlight().bytes),
    draining: gauge('draining', '1 once the process has been asked to stop.'),
    configurationRefused: gauge(
      'configuration_refused',
      '1 while the configuration file cannot be used, so that an earlier one is in force.',
    ),
    certificateExpiry: gauge('certificate_not_after_seconds', 'Unix time at which the serving certificate expires.'),
  }
}

function knownKind(kind: string): string {
  return hasPodTemplate(kind) || kind === 'Ingress' || kind === 'PeerAuthentication' ? kind : 'other'
}
