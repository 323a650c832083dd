/** The settings of the rules: what holds where neither a namespace nor an object says otherwise. */
import { DEFAULT_GATEWAY, type GatewaySettings } from '../conversion/model/conversion-options.ts'

export const PROBES_VALUES = ['auto', 'exec', 'port', 'agent', 'off'] as const
export const TEMPLATES_VALUES = ['auto', 'rewrite', 'leave'] as const
export const INGRESS_VALUES = ['deny', 'warn', 'allow'] as const
export const DELIVERY_VALUES = ['auto', 'image-volume', 'init-container'] as const
export const PULL_POLICY_VALUES = ['Always', 'IfNotPresent', 'Never'] as const

export type ProbesSetting = (typeof PROBES_VALUES)[number]
export type TemplatesSetting = (typeof TEMPLATES_VALUES)[number]
export type IngressSetting = (typeof INGRESS_VALUES)[number]

export interface ProberConfiguration {
  readonly image: string
  readonly pullPolicy: (typeof PULL_POLICY_VALUES)[number]
  /** `auto`: an image volume where the cluster is known to have them, else an init container. */
  readonly delivery: (typeof DELIVERY_VALUES)[number]
}

export interface RuleConfiguration {
  readonly probes: ProbesSetting
  readonly templates: TemplatesSetting
  readonly ingress: IngressSetting
  readonly exemptNamespaces: readonly string[]
  /** User names whose Ingresses are warned about and never denied, e.g. of Flagger (spec/ingress.md 3.4). */
  readonly trustedIngressUsers: readonly string[]
  readonly prober: ProberConfiguration
  /** What a conversion prints for; see GatewaySettings. */
  readonly gateway: GatewaySettings
}

export const DEFAULT_RULES: RuleConfiguration = {
  probes: 'auto',
  templates: 'auto',
  ingress: 'deny',
  exemptNamespaces: ['kube-system', 'kube-public', 'kube-node-lease', 'istio-system', 'cert-manager'],
  trustedIngressUsers: [],
  prober: { image: 'ghcr.io/istio-onramp/prober:0.1.0', pullPolicy: 'IfNotPresent', delivery: 'auto' },
  gateway: DEFAULT_GATEWAY,
}
