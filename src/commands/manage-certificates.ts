/** Connects the self-managed certificates to the cluster, the log and the metrics. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Step } from '../certificates/next-step.ts'
import { SelfManagedCertificates } from '../certificates/self-managed.ts'
import { CertificateStore } from '../cluster/live/certificate-store.ts'
import type { ClusterApi } from '../cluster/live/cluster-api.ts'
import type { Configuration } from '../config.ts'
import { messageOf } from '../errors.ts'
import { readDuration } from '../kubernetes/duration.ts'
import { createCertificateMetrics } from '../server/certificate-metrics.ts'
import { checkKeyPair, type KeyPair } from '../server/tls-files.ts'

export interface ManageOptions {
  readonly api: ClusterApi
  readonly settings: Configuration['certificates']
  readonly log: Logger
  readonly registry: Registry
  /** Called with each new certificate. */
  readonly use: (pair: KeyPair) => void
}

export interface ManagedCertificates {
  /** Why the API server would not accept the certificate, for `/readyz`. */
  problem(): string | undefined
  stop(): Promise<void>
}

/** Starts at once; the first certificate comes as soon as the cluster can be read. */
export function manageCertificates({ api, settings, log, registry, use }: ManageOptions): ManagedCertificates {
  const metrics = createCertificateMetrics(registry)
  const { namespace, secretName, webhookConfiguration: configurationName, hosts } = settings
  const store = new CertificateStore({ api, namespace, secretName, configurationName })
  const certificates = new SelfManagedCertificates({
    store,
    hosts,
    timing: timingOf(settings),
    jitter: Math.random(),
    observer: {
      signed: ({ certificate, key }) => use(checkKeyPair(certificate, key)),
      known: ({ signing }) => metrics.setAuthorityExpiry(new Date(signing.notAfter)),
      stepped(step, isDone) {
        metrics.countStep(nameOf(step), isDone ? 'done' : 'superseded')
        if (isDone) log[levelOf(step)](factsOf(step), `certificates: ${MESSAGES[nameOf(step)]}`)
        else log.debug({ step: nameOf(step) }, 'certificates: another replica was faster')
      },
      failed(error, wait) {
        metrics.countFailure()
        const facts = { secret: `${namespace}/${secretName}`, retrySeconds: wait / 1000, error: messageOf(error) }
        log.error(facts, 'certificates: the authority or a CA bundle could not be read or written')
      },
    },
  })
  const watching = new AbortController()
  const watched = store.watch(() => certificates.wake(), watching.signal)
  certificates.start()
  return {
    problem: () => certificates.problem(),
    async stop() {
      watching.abort()
      await Promise.all([watched, certificates.stop()])
    },
  }
}

type Taken = Exclude<Step, { kind: 'wait' }>

const MESSAGES = {
  created: 'a new authority is in the Secret',
  prepared: 'the next authority is in the Secret; it signs once every CA bundle trusts it',
  promoted: 'the next authority signs from now on',
  dropped: 'the retired authorities are no longer trusted',
  restored: 'the Secret was lost or damaged, and has been restored',
  adopted: 'a CA bundle trusted other authorities only; they stay trusted until certificates of them have expired',
  published: 'the CA bundles have been written',
  signed: 'a new certificate is in use',
} as const

function nameOf(step: Taken): keyof typeof MESSAGES {
  if (step.kind === 'store') return step.event
  const names = { create: 'created', prepare: 'prepared', publish: 'published', sign: 'signed' } as const
  return names[step.kind]
}

/** A loss that was mended is worth a look. */
function levelOf(step: Taken): 'warn' | 'info' {
  return step.kind === 'store' && (step.event === 'restored' || step.event === 'adopted') ? 'warn' : 'info'
}

function factsOf(step: Taken) {
  switch (step.kind) {
    case 'create':
      return { reason: step.reason, stillTrusted: step.retired.retired.length }
    case 'prepare':
      return { notAfter: new Date(step.authorities.signing.notAfter) }
    case 'store':
      return { notAfter: new Date(step.authorities.signing.notAfter), stillTrusted: step.authorities.retired.length }
    case 'publish':
      return { configurations: step.configurations, authorities: step.bundle.length }
    case 'sign':
      return { authority: step.authority.fingerprint }
  }
}

/** The configuration has checked them. */
function timingOf({ authorityDuration, leafDuration, trustDelay }: Configuration['certificates']) {
  const [authority = 0, leaf = 0, delay = 0] = [authorityDuration, leafDuration, trustDelay].map(readDuration)
  return { authorityDuration: authority, leafDuration: leaf, trustDelay: delay }
}
