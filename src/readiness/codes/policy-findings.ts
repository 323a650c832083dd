/** Findings about policies, ambient mode and the report itself. */
import type { FindingText } from './finding-text.ts'

export const POLICY_FINDINGS = {
  'policy-selects-nothing': {
    severity: 'warn',
    area: 'strict',
    title: 'A PeerAuthentication selects no workload',
    meaning: 'No workload in its namespace matches its selector, so it has no effect.',
    remedy: 'Correct the selector, or delete the policy.',
  },
  'policy-shadowed': {
    severity: 'warn',
    area: 'strict',
    title: 'An older PeerAuthentication hides this one',
    meaning:
      'For a namespace, Istio uses only the oldest policy without a selector; for a workload, only the oldest whose selector matches. It ignores the others, even if the oldest is UNSET.',
    remedy: 'Merge the two policies into the older one and delete the other.',
  },
  'port-level-unused': {
    severity: 'warn',
    area: 'strict',
    title: 'A portLevelMtls entry names a port of no selected container',
    meaning: 'portLevelMtls takes container ports, not Service ports. The entry has no effect on the Service port.',
    remedy: 'Use the container port.',
  },
  // Ambient.
  'network-policy-blocks-tunnel': {
    severity: 'error',
    area: 'strict',
    title: 'A NetworkPolicy blocks the tunnel of the ambient mesh',
    meaning: 'Mesh traffic reaches an ambient pod on port 15008, and no NetworkPolicy that selects the pod admits it.',
    remedy: 'Allow TCP port 15008.',
  },
  'network-policy-blocks-probes': {
    severity: 'error',
    area: 'probes',
    title: "A NetworkPolicy blocks kubelet's probes of an ambient pod",
    meaning:
      "In ambient mode kubelet's probes arrive from 169.254.7.127 (IPv6: fd16:9254:7127:1337:ffff:ffff:ffff:ffff), and no NetworkPolicy that selects the pod admits that address.",
    remedy: 'Allow 169.254.7.127/32 and fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128.',
  },
  // After an uninstall.
  'rewrite-left-behind': {
    severity: 'warn',
    area: 'probes',
    title: 'A template that istio-onramp rewrote outlived its webhook',
    meaning:
      'No istio-onramp webhook was found, and the template of the workload still has rewritten probes or hooks. They keep working while the image of the prober can be pulled, but nothing maintains them.',
    remedy:
      'Restore the probes: kubectl get ... -o yaml | istio-onramp restore -f - | kubectl replace -f -. The pods are replaced.',
  },
  'label-left-behind': {
    severity: 'info',
    area: 'probes',
    title: 'A namespace has a label of istio-onramp, whose webhook is gone',
    meaning:
      'No istio-onramp webhook was found, and the namespace still has a label of istio-onramp. It has no effect.',
    remedy: 'Remove the label.',
  },
  // Of the report itself.
  'ignore-invalid': {
    severity: 'warn',
    area: 'strict',
    title: 'An ignore entry is invalid',
    meaning: 'An entry needs a known code and a reason. Without them it ignores nothing.',
    remedy: 'Write istio-onramp.io/ignore: "CODE[@SLOT]=REASON[; until=2027-01-31]".',
  },
} as const satisfies Readonly<Record<string, FindingText>>
