/** What ingress-nginx does to an Ingress by default (docs/facts/ingress-nginx.md#defaults). */
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { Note } from '../../model/report.ts'

/**
 * | Ingress             | by default                                                                                   |
 * |---------------------|----------------------------------------------------------------------------------------------|
 * | has no rules        | no redirect: the catch-all server keeps its own settings (`createServers` in controller.go)  |
 * | a rule has no paths | the whole host redirects if a snippet redirects                                              |
 */
export function withOwnDefaults(reading: ReadIngress): ReadIngress {
  const { ingress, controller, settings } = reading
  if (controller !== 'nginx') return reading
  if (ingress.rules.length === 0) return { ...reading, settings: { ...settings, redirectsToHttps: false } }
  if (settings.redirect === undefined) return reading
  const rules = ingress.rules.map((rule) => {
    if (rule.paths.length > 0) return rule
    const path = { path: '/', pathType: 'Prefix', backend: undefined, resource: undefined, field: rule.field } as const
    return { ...rule, paths: [path] }
  })
  return { ...reading, ingress: { ...ingress, rules } }
}

/**
 * Returns notes about the controller's own settings, which no Ingress contains (`NewDefault` in ingress-nginx'
 * internal/ingress/controller/config/config.go).
 */
export function assumedDefaults(readings: readonly ReadIngress[]): readonly Note[] {
  const own = readings.filter(({ controller }) => controller === 'nginx')
  if (own.length === 0) return []
  const isSecured = own.some(({ ingress }) => ingress.tls.some(({ secret }) => secret !== ''))
  return isSecured ? [DEFAULTS, HSTS] : [DEFAULTS]
}

const DEFAULTS: Note = {
  level: 'info',
  about: 'ingress-nginx',
  outcome: 'approximate',
  message:
    'its own settings (ConfigMap and flags) are not in the input, so its defaults are assumed: ssl-redirect true, proxy-body-size 1m, proxy-read-timeout 60 s, no address lists, no global authentication. Its request headers X-Real-IP, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Scheme and X-Scheme are not sent; Envoy sends X-Forwarded-For and X-Forwarded-Proto',
}

const HSTS: Note = {
  level: 'warn',
  about: 'ingress-nginx hsts',
  outcome: 'unsupported',
  message:
    'by default ingress-nginx adds Strict-Transport-Security: max-age=31536000; includeSubDomains to every HTTPS response, and the gateway does not: let the application send it, or set it in headers.response.set of the routes',
}
