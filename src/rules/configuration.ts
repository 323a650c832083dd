/** The settings of the rules, which apply unless a namespace or an object overrides them. */
import { z } from 'zod'
import { GATEWAY_SETTINGS } from '../conversion/model/conversion-options.ts'
import { EXEMPTION_VALUES } from './exemption.ts'

export const PROBES_VALUES = ['auto', 'exec', 'port', 'agent', 'off'] as const
export const TEMPLATES_VALUES = ['auto', 'rewrite', 'leave'] as const
export const INGRESS_VALUES = ['deny', 'warn', 'allow'] as const
export const STRICT_SWITCH_VALUES = ['warn', 'deny', 'allow'] as const
const DELIVERY_VALUES = ['auto', 'image-volume', 'init-container'] as const
const PULL_POLICY_VALUES = ['Always', 'IfNotPresent', 'Never'] as const

export type ProbesSetting = (typeof PROBES_VALUES)[number]
export type StrictSwitchSetting = (typeof STRICT_SWITCH_VALUES)[number]
export type IngressSetting = (typeof INGRESS_VALUES)[number]

export const RULES_SETTINGS = z
  .strictObject({
    probes: z
      .enum(PROBES_VALUES)
      .default('auto')
      .describe('What happens to probes and hooks that STRICT mutual TLS would break. Annotations override it.'),
    templates: z
      .enum(TEMPLATES_VALUES)
      .default('auto')
      .describe('Whether pod templates of workloads are rewritten, or only the pods created from them.'),
    ingress: z.enum(INGRESS_VALUES).default('deny').describe('What happens to Ingresses in namespaces of the mesh.'),
    ingressExemptions: z
      .enum(EXEMPTION_VALUES)
      .default('object')
      .describe(
        'Whose annotation may loosen the Ingress rule: object (the Ingress or its namespace), namespace (an Ingress may only ' +
          'tighten), none (both may only tighten).',
      ),
    strictSwitch: z
      .enum(STRICT_SWITCH_VALUES)
      .default('warn')
      .describe('What happens to a PeerAuthentication that would break running workloads.'),
    strictSwitchExemptions: z
      .enum(EXEMPTION_VALUES)
      .default('object')
      .describe(
        'Whose annotation may loosen the STRICT-switch guard: object (the PeerAuthentication or its namespace), namespace (a ' +
          'PeerAuthentication may only tighten), none (both may only tighten).',
      ),
    exemptNamespaces: z
      .array(z.string())
      .default(['kube-system', 'kube-public', 'kube-node-lease', 'istio-system', 'cert-manager'])
      .describe('Namespaces in which no rule applies.'),
    trustedIngressUsers: z
      .array(z.string().min(1))
      .default([])
      .describe('User names whose Ingresses cause a warning and are never denied, for example Flagger.'),
    prober: z
      .strictObject({
        image: z
          .string()
          .min(1)
          .default('ghcr.io/istio-onramp/prober:0.1.0')
          .describe('Image with the prober that exec probes run.'),
        pullPolicy: z.enum(PULL_POLICY_VALUES).default('IfNotPresent').describe('imagePullPolicy of that image.'),
        delivery: z
          .enum(DELIVERY_VALUES)
          .default('auto')
          .describe(
            'How the prober gets into a pod. auto: an image volume if every node can mount one, otherwise an init container.',
          ),
      })
      .readonly()
      .prefault({}),
    gateway: GATEWAY_SETTINGS.prefault({}),
  })
  .readonly()

export type RuleConfiguration = z.infer<typeof RULES_SETTINGS> & {
  /**
   * `cluster.controlPlaneNamespaces`: besides `gateway.namespace`, the namespaces whose Services may be gateways of the
   * mesh.
   */
  readonly controlPlaneNamespaces: readonly string[]
}
export type ProberConfiguration = RuleConfiguration['prober']

export const DEFAULT_RULES: RuleConfiguration = {
  ...RULES_SETTINGS.parse({}),
  controlPlaneNamespaces: ['istio-system'],
}
