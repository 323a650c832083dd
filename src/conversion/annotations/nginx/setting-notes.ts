/** What settings of ingress-nginx itself mean for a gateway, where no annotation has the same meaning. */
import type { Note } from '../../model/report.ts'
import { FURTHER, INHERITED, type ControllerSettings } from './controller-settings.ts'

type Verdict = Pick<Note, 'level' | 'outcome' | 'message'>

const platformStep = (level: Note['level'], message: string): Verdict => ({ level, outcome: 'platform-step', message })
const unsupported = (level: Note['level'], message: string): Verdict => ({ level, outcome: 'unsupported', message })
const notNeeded = (message: string): Verdict => ({ level: 'info', outcome: 'not-needed', message })

/** Settings that do nothing where they are `false`. */
const SWITCHES =
  /^(?:use-forwarded-headers|enable-real-ip|use-proxy-protocol|compute-full-forwarded-for|use-geoip2?|ssl-early-data|ssl-reject-handshake|--enable-ssl-passthrough|--watch-ingress-without-class|global-auth-cache-.*|allow-cross-namespace-resources)$/

const OFF = notNeeded('it is switched off')

/** Of settings that no annotation has. The first pattern that fits counts. */
const VERDICTS: readonly (readonly [RegExp, Verdict])[] = [
  [
    /^(?:use-forwarded-headers|proxy-real-ip-cidr|enable-real-ip|use-proxy-protocol|compute-full-forwarded-for|forwarded-for-header)$/,
    platformStep(
      'warn',
      'the address of the client comes from a proxy in front: set gatewayTopology of the mesh, and gateway.trustedProxies here',
    ),
  ],
  [
    new RegExp(`^${FURTHER}$`),
    unsupported(
      'error',
      'only the settings of the first controller are used for all Ingresses: convert those of each class by themselves, with --controller-config for their controller',
    ),
  ],
  [/^hsts/, { level: 'info', outcome: 'converted', message: 'a response header of the hosts with TLS' }],
  [
    /^limit-(?:conn-zone-variable|(?:req|conn)-status-code)$/,
    unsupported('info', 'it is about the limits of Ingresses, which are not converted'),
  ],
  [/^disable-/, notNeeded('it is about nginx itself')],
  [
    /^(?:global-auth-|block-|limit-)/,
    unsupported('error', 'SECURITY: it decides who may call or how often, and is not converted: recreate it in Istio'),
  ],
  [/^allow-snippet-annotations$/, notNeeded('where it is true, snippets of Ingresses are converted or quoted')],
  [
    /^(?:strict-validate-path-type|annotations-risk-level|allow-cross-namespace-resources|annotation-value-word-blocklist)$/,
    notNeeded('it checks Ingresses, not requests'),
  ],
  [
    /^(?:add-headers|proxy-set-headers)$/,
    unsupported('error', 'the ConfigMap that it names is not read: put its headers into headers of the routes'),
  ],
  [/^hide-headers$/, unsupported('warn', 'responses keep them: put them into headers.response.remove of the routes')],
  [
    /^(?:no-auth-locations|no-tls-redirect-locations)$/,
    unsupported('warn', 'paths that begin with it are treated like all others, except those of ACME challenges'),
  ],
  [
    /^(?:ssl-protocols|ssl-ecdh-curve|ssl-early-data|http2|use-http2|ssl-reject-handshake)$/,
    platformStep('warn', "TLS is set at the Gateway's servers, for all of their hosts"),
  ],
  [
    /^(?:http-snippet|main-snippet|stream-snippet|server-snippet|.*-snippet)$/,
    unsupported('error', 'configuration of nginx itself: recreate what it does in Istio'),
  ],
  [/^http-redirect-code$/, unsupported('info', 'redirects to HTTPS are 308')],
  [
    /^--default-ssl-certificate$/,
    platformStep('error', 'hosts without a certificate of their own used it: give them a secret'),
  ],
  [
    /^--(?:tcp|udp)-services-configmap$/,
    unsupported(
      'error',
      'these are not Ingresses: each needs a server of protocol TCP in a Gateway, a VirtualService with tcp, and a port of the gateway Service; Istio has no gateway for UDP',
    ),
  ],
  [
    /^--default-backend-service$/,
    unsupported('warn', 'requests for unknown hosts and paths are answered 404 by the gateway'),
  ],
  [
    /^--annotations-prefix$/,
    unsupported(
      'error',
      'annotations are read with the prefix nginx.ingress.kubernetes.io only: rename those of the Ingresses',
    ),
  ],
  [/^--enable-ssl-passthrough$/, notNeeded('ssl-passthrough of Ingresses is converted')],
  [
    /^--watch-ingress-without-class$/,
    notNeeded('Ingresses without a class are converted like those of the class of the others'),
  ],
  [/^--/, notNeeded('it is about the controller, not about requests')],
  [
    /log|buffer|hash|worker|gzip|brotli|keepalive|keep-alive|otel|opentelemetry|opentracing|jaeger|zipkin|datadog|resolver|session|http2-max|headers-in|server-tokens|reuse-port|timeout|map-|variables-|^(?:generate-request-id$|nginx-status|ignore-invalid-headers$|enable-underscores-in-headers$)/,
    notNeeded('logs, buffers, compression and time limits of nginx itself'),
  ],
]

const UNKNOWN = unsupported(
  'warn',
  'unknown setting, nothing is generated for it: look it up in the documentation of ingress-nginx',
)

/** One note for each setting that is not the default of an annotation. */
export function settingNotes(settings: ControllerSettings): readonly Note[] {
  return [...settings]
    .filter(([key]) => !INHERITED.has(key) && key !== 'location-snippet' && key !== 'global-auth-url')
    .map(([key, value]) => {
      const isOff = value === 'false' && SWITCHES.test(key)
      const verdict = isOff ? OFF : (VERDICTS.find(([pattern]) => pattern.test(key))?.[1] ?? UNKNOWN)
      return { ...verdict, about: `ingress-nginx ${key}`, message: `is ${value}; ${verdict.message}` }
    })
}
