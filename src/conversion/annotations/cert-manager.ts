/**
 * cert-manager. Its ingress-shim reads Ingresses but not Istio's Gateways, so the conversion prints a Certificate in
 * the namespace of the gateway's pods (docs/facts/certificates.md#from-annotations-to-a-certificate; cert-manager's
 * certificate-shim/helper.go).
 */
import type { Json } from '../../kubernetes/json.ts'
import type { CertificateRequest } from '../model/ingress-settings.ts'
import { ISSUERS } from '../model/issuers.ts'
import {
  approximate,
  notNeeded,
  readList,
  readWhole,
  refused,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './entry.ts'

const CERTIFICATE: AnnotationTable = {
  'cluster-issuer': (name, place) => issuer(place, { name, kind: 'ClusterIssuer', group: undefined }),
  issuer: (name, place) =>
    issuer(place, { name, kind: place.sibling('issuer-kind') ?? 'Issuer', group: place.sibling('issuer-group') }),
  'issuer-kind': withIssuer((value) => carried(`issuerRef.kind is ${value}`)),
  'issuer-group': withIssuer((value) => carried(`issuerRef.group is ${value}`)),
  'common-name': specMember('commonName'),
  duration: specMember('duration'),
  'renew-before': specMember('renewBefore'),
  'renew-before-percentage': specMember('renewBeforePercentage', whole),
  usages: specMember('usages', list),
  'revision-history-limit': specMember('revisionHistoryLimit', whole),
  'alt-names': specMember('dnsNames', list),
  'ip-sans': specMember('ipAddresses', list),
  'uri-sans': specMember('uris', list),
  'email-sans': specMember('emailAddresses', list),
  'secret-template': withIssuer(() => ({
    outcome: 'unsupported',
    level: 'warn',
    message: 'write it into spec.secretTemplate of the Certificate',
  })),
  'subject-organizations': subject('organizations'),
  'subject-organizationalunits': subject('organizationalUnits'),
  'subject-countries': subject('countries'),
  'subject-provinces': subject('provinces'),
  'subject-localities': subject('localities'),
  'subject-postalcodes': subject('postalCodes'),
  'subject-streetaddresses': subject('streetAddresses'),
  'subject-serialnumber': nested('subject', 'serialNumber', text),
  'private-key-algorithm': nested('privateKey', 'algorithm', text),
  'private-key-encoding': nested('privateKey', 'encoding', text),
  'private-key-size': nested('privateKey', 'size', whole),
  'private-key-rotation-policy': nested('privateKey', 'rotationPolicy', text),
}

const ACME: AnnotationTable = {
  'http01-ingress-class': overrideClass('acme.cert-manager.io/http01-override-ingress-class'),
  'http01-ingress-ingressclassname': overrideClass('acme.cert-manager.io/http01-override-ingress-ingressclassname'),
  'http01-edit-in-place': notNeeded(
    'no Ingress is left to edit; the solver creates one of its own, which needs class istio, or DNS-01',
  ),
}

const DEFAULT_ISSUER: AnnotationTable = {
  'tls-acme': whenTrue((_, place) => {
    const { annotations } = place.ingress
    const named = ISSUERS.find((key) => annotations.has(key))
    if (named !== undefined) return { outcome: 'not-needed', level: 'info', message: `${named} names the issuer` }
    return defaultIssuer(place)
  }),
}

function defaultIssuer(place: AnnotationPlace): Effect {
  const name = place.gateway.defaultIssuer
  const unknown =
    'the default issuer of cert-manager is unknown: set it in gateway.defaultIssuer, or use cert-manager.io/cluster-issuer'
  if (name === '') return { outcome: 'unsupported', level: 'error', message: unknown }
  if (!place.hasListenerSets) return issuer(place, { name, kind: 'ClusterIssuer', group: undefined })
  const key = 'cert-manager.io/cluster-issuer'
  return {
    ...carried(`${key}: ${name} on the ListenerSet, where cert-manager does not read tls-acme`),
    settings: { gatewayAnnotations: { [key]: name } },
  }
}

export const CERT_MANAGER = orOnListenerSet('cert-manager.io/', CERTIFICATE)
export const CERT_MANAGER_ACME = orOnListenerSet('acme.cert-manager.io/', ACME)
export const TLS_ACME = DEFAULT_ISSUER

const ON_LISTENER_SET =
  'on the ListenerSet; cert-manager 1.20 and later reads it with enableGatewayAPI and the feature gate ListenerSets'

/**
 * cert-manager reads a ListenerSet in the Ingress' own namespace like an Ingress, so the annotations move there
 * unchanged. A Certificate in the output would have the name of the one that is deleted with the Ingress.
 */
function orOnListenerSet(prefix: string, table: AnnotationTable): AnnotationTable {
  const entries = Object.entries(table).map(([name, entry]) => {
    const moved: Entry = (value, place) =>
      place.hasListenerSets
        ? {
            ...carried(ON_LISTENER_SET),
            settings: { gatewayAnnotations: { [`${prefix}${name}`]: value } },
          }
        : entry(value, place)
    return [name, moved] as const
  })
  return Object.fromEntries(entries)
}

/** A namespaced Issuer cannot be used from another namespace. The kind distinguishes issuers of other groups. */
function issuer(place: AnnotationPlace, ref: CertificateRequest['issuer']): Effect {
  const { ingress, gateway } = place
  if (ingress.tls.every(({ secret }) => secret === ''))
    return {
      outcome: 'not-needed',
      level: 'warn',
      message: 'no spec.tls entry has a secret, so cert-manager issues nothing',
    }
  const certificate = { issuer: ref }
  if (ref.kind !== 'Issuer' || ingress.namespace === gateway.namespace)
    return {
      outcome: 'platform-step',
      level: 'info',
      message: `a Certificate, to apply in ${gateway.namespace}, where the gateway reads its secrets`,
      settings: { certificate },
    }
  return {
    outcome: 'unsupported',
    level: 'error',
    message: `Issuer ${ref.name} is in namespace ${ingress.namespace}; a Certificate in ${gateway.namespace} cannot use it: make it a ClusterIssuer, or an Issuer there`,
    settings: { certificate },
  }
}

function withIssuer(entry: Entry): Entry {
  return (value, place) => {
    const hasIssuer = place.sibling('issuer') !== undefined || place.sibling('cluster-issuer') !== undefined
    const isAcme = place.ingress.annotations.get('kubernetes.io/tls-acme') === 'true'
    if (hasIssuer || isAcme) return entry(value, place)
    return {
      outcome: 'not-needed',
      level: 'info',
      message: 'has no effect without cert-manager.io/issuer or cluster-issuer',
    }
  }
}

function carried(message: string): Effect {
  return { outcome: 'converted', level: 'info', message }
}

type Read = (value: string) => Json | undefined

function text(value: string): string {
  return value
}

function list(value: string): readonly string[] {
  return readList(value)
}

function whole(value: string): number | undefined {
  return readWhole(value)
}

/** Sets a member of the Certificate's `spec`. */
function specMember(name: string, read: Read = text): Entry {
  return withIssuer((value) => {
    const found = read(value)
    if (found === undefined) return refused(value, 'a whole number')
    return { ...carried(`spec.${name} of the Certificate`), settings: { certificateSpec: { [name]: found } } }
  })
}

/** Sets a nested member of the Certificate's `spec`. */
function nested(outer: string, name: string, read: Read): Entry {
  return withIssuer((value) => {
    const found = read(value)
    if (found === undefined) return refused(value, 'a whole number')
    return {
      ...carried(`spec.${outer}.${name} of the Certificate`),
      settings: { certificateSpec: { [outer]: { [name]: found } } },
    }
  })
}

function subject(name: string): Entry {
  return nested('subject', name, list)
}

function overrideClass(annotation: string): Entry {
  return (value) =>
    approximate(
      'warn',
      { certificateAnnotations: { [annotation]: value } },
      `an annotation of the Certificate; the solver's Ingress is in the gateway's namespace, and Istio serves only class istio`,
    )
}
