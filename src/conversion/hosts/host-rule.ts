import type { IngressRule } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'

/** A rule with its Ingress. */
export interface HostRule {
  readonly reading: ReadIngress
  readonly rule: IngressRule
  /** `*` if the rule has no host. */
  readonly host: string
}

/** The properties shared by all paths of a host. */
export interface HostContext {
  readonly host: string
  /** Every path is a regular expression, because an Ingress of the host asks for it (ingress-nginx). */
  readonly isRegex: boolean
  /** Whether the host has TLS at the gateway. */
  readonly isSecure: boolean
  /** The Ingresses whose default backend is reported with this host. */
  readonly reportedFallbacks: ReadonlySet<string>
  readonly options: ConversionOptions
}
