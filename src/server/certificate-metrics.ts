/** Metrics of the certificates that the server keeps itself (`--tls-self-managed`). */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface CertificateMetrics {
  setAuthorityExpiry(notAfter: Date): void
  /** A step of the rotation, such as `published` or `signed`; `superseded` if another replica was faster. */
  countStep(step: string, result: 'done' | 'superseded'): void
  countFailure(): void
}

export function createCertificateMetrics(registry: Registry): CertificateMetrics {
  const registers = [registry]
  const authorityExpiry = new Gauge({
    name: 'istio_onramp_certificate_authority_not_after_seconds',
    help: 'Unix time at which the authority that signs expires (--tls-self-managed).',
    registers,
  })
  const steps = new Counter({
    name: 'istio_onramp_certificate_steps_total',
    help: 'Steps of keeping the certificates (--tls-self-managed): created, prepared, promoted, dropped, restored, adopted (authorities), published (CA bundles), signed (the serving certificate). Superseded means that another replica was faster.',
    labelNames: ['step', 'result'],
    registers,
  })
  const failures = new Counter({
    name: 'istio_onramp_certificate_failures_total',
    help: 'Steps of keeping the certificates that failed and were retried (--tls-self-managed).',
    registers,
  })
  return {
    setAuthorityExpiry: (notAfter) => authorityExpiry.set(notAfter.getTime() / 1000),
    countStep: (step, result) => steps.inc({ step, result }),
    countFailure: () => failures.inc(),
  }
}
