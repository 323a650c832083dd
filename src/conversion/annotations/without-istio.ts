/**
 * What an annotation requests where the cluster has the Gateway API without Istio's own: settings that need an
 * AuthorizationPolicy, a DestinationRule or a ServiceEntry are dropped, and the annotation is an error.
 */
import { isVerified } from '../emit/gateway-api/backend-tls-policy.ts'
import type { ConnectionPolicy, Mirror } from '../model/ingress-settings.ts'
import type { AnnotationSettings, Effect } from './entry.ts'

/** `namespace` is that of the Ingress. */
export function withoutIstio(effect: Effect, namespace: string): Effect {
  const { settings } = effect
  if (settings === undefined) return effect
  const need = needOf(settings, namespace)
  if (need === undefined) return settings.connection?.tls === undefined ? effect : { ...effect, message: VERIFIED }
  const message = `${need.why}, which --no-istio-crds excludes; nothing is generated for it`
  return { outcome: 'unsupported', level: 'error', message, settings: withoutMembers(settings, need.members) }
}

interface Need {
  readonly why: string
  readonly members: readonly (keyof AnnotationSettings)[]
}

const VERIFIED = 'a BackendTLSPolicy makes the gateway speak TLS to the Service and verify its certificate'

const POLICY = 'needs an AuthorizationPolicy of Istio'
const GUARDS = ['allowedSources', 'deniedSources', 'externalAuth'] as const

/**
 * | setting                                | Istio's object       | lost without it                    |
 * |----------------------------------------|----------------------|------------------------------------|
 * | address lists                          | AuthorizationPolicy  | every address may call             |
 * | external authorization                 | AuthorizationPolicy  | requests are not authenticated     |
 * | TLS to backends, unless it is verified | DestinationRule      | backends receive plain HTTP        |
 * | balancing, connection timeouts         | DestinationRule      | the defaults of the gateway apply  |
 * | mirrors outside the cluster            | ServiceEntry         | requests are not mirrored          |
 */
function needOf(settings: AnnotationSettings, namespace: string): Need | undefined {
  if (settings.externalAuth !== undefined)
    return { why: `SECURITY: ${POLICY}: without it, requests are not authenticated`, members: GUARDS }
  if (settings.allowedSources !== undefined || settings.deniedSources !== undefined)
    return { why: `SECURITY: ${POLICY}: without it, every address may call`, members: GUARDS }
  if (settings.connection !== undefined && needsRule(settings.connection, namespace))
    return { why: connectionText(settings.connection), members: ['connection'] }
  if (settings.mirror !== undefined && isOutside(settings.mirror))
    return { why: 'mirrors to a host outside the cluster, which needs a ServiceEntry of Istio', members: ['mirror'] }
  return undefined
}

function needsRule({ tls, hash, balancer, connectTimeoutSeconds }: ConnectionPolicy, namespace: string): boolean {
  const hasOther = hash !== undefined || balancer !== undefined || connectTimeoutSeconds !== undefined
  return hasOther || (tls !== undefined && !isVerified(tls, namespace))
}

function connectionText({ tls }: ConnectionPolicy): string {
  return tls === undefined
    ? 'needs a DestinationRule of Istio'
    : 'needs a DestinationRule of Istio: without it, backends receive plain HTTP'
}

function isOutside({ service }: Mirror): boolean {
  return service === undefined
}

function withoutMembers(settings: AnnotationSettings, members: readonly string[]): AnnotationSettings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !members.includes(key)))
}
