/**
 * The code and the sentence of every outcome, shared by the metric label, the log field, the receipt and the message. A
 * code without a sentence does not compile.
 */
export const REASONS = {
  // Why a probe or hook is changed.
  'strict-mtls': 'the port accepts only mutual TLS (STRICT), and kubelet has no mesh certificate',
  'strict-mtls-tcp': 'under STRICT the sidecar completes every TCP handshake, so this probe would always pass',
  'prepare-strict': 'the namespace asks for probes to be rewritten before it turns STRICT',
  // Why a probe or hook is left unchanged.
  'no-sidecar': 'the pod gets no Istio sidecar',
  ambient: "the pod is in ambient mode, where kubelet's probes bypass the mesh",
  'istio-refuses-pod': "Istio's injector refuses this pod",
  'istio-container': 'the container belongs to Istio',
  'not-captured': 'the port is not redirected to the sidecar, so kubelet reaches it directly',
  'not-strict': 'the port accepts plain text',
  'tcp-always-passes':
    'the sidecar completes every TCP handshake on this port, so the probe passes even if the application is down',
  'istio-rewrites': 'Istio serves it through its agent',
  'served-by-agent': "it already points at Istio's agent",
  'already-rewritten': 'the probe already runs through the prober',
  'local-handler': 'it runs inside the container, so the sidecar is not involved',
  'tcp-hook': 'kubelet does not run tcpSocket hooks, with or without a mesh',
  'other-host': 'it calls a host other than the pod',
  'unresolvable-port': 'no port of the container has this name, so kubelet cannot run it either',
  'unknown-field': 'it has a field that this version does not know and would lose',
  off: 'probe rewriting is switched off',
  windows: 'the prober does not run on Windows',
  'prober-path-taken': 'the container already mounts a volume at or below /istio-onramp',
  'prober-name-taken': 'the pod already uses the name istio-onramp-prober, or the container sets ISTIO_ONRAMP_POD_IP',
  malformed: 'the field is malformed',
  'exempt-namespace': 'the namespace is exempt by configuration',
  'mirror-pod': 'kubelet runs the pod from a file on its node, and the API server refuses changes to it',
  'running-pod': 'the probes of a running pod cannot be changed',
  // Why a template is left to its pods.
  'at-pod-creation': 'the template is stored unchanged; its pods are rewritten when they are created',
  'template-left': 'the templates setting is leave; its pods are rewritten when they are created',
  'argo-cd':
    'Argo CD tracks the object, so the template is stored as it is in Git; its pods are rewritten when they are created',
  'controller-owned': 'a controller owns the object and would revert the change',
  'template-unchanged': 'the request does not change the template',
  // The outbound ranges of a namespace.
  'egress-ip-ranges': 'the namespace sets the outbound ranges that its sidecars redirect',
  'egress-without-services':
    'the namespace sets outbound ranges that leave out Services, whose callers bypass the mesh',
  'egress-refused-by-istio': "Istio's injector would refuse a pod with the namespace's outbound ranges",
  'egress-own-ranges': 'the pod sets outbound ranges of its own',
  'egress-too-late': 'the pod has its sidecar already, which has read the outbound ranges',
  // Ingress.
  'ingress-in-mesh': 'the namespace is in the Istio mesh, whose gateway ignores Ingresses',
  'not-in-mesh': 'the namespace is not in the Istio mesh',
  'ingress-allowed': 'annotation istio-onramp.io/ingress allows it',
  'ingress-istio-class': 'Istio serves this Ingress itself',
  'ingress-acme-solver': 'cert-manager answers an ACME HTTP-01 challenge with it',
  'ingress-being-deleted': 'it is being deleted',
  'ingress-spec-unchanged': 'the request does not change the spec',
  'ingress-acme-paths-only': 'the request changes only ACME challenge paths',
  'ingress-to-gateway': 'its backends are the ingress gateway itself',
  'ingress-trusted-user': 'a trusted controller wrote it',
  // The switch to STRICT.
  'strict-switch-breaks': 'the policy would break running workloads',
  'strict-switch-harmless': 'the policy breaks nothing that works now',
  'strict-switch-allowed': 'annotation istio-onramp.io/strict-switch or the configuration allows it',
  'strict-switch-unknown': 'not all workloads of the cluster could be read',
  // Requests that no rule decides.
  'no-rule': 'no rule applies to this kind',
  'nothing-to-decide': 'the request has no object',
  'cluster-unknown': 'the cluster has not been read yet, or its state is out of date, so no decision is made',
  'namespace-not-declared': 'the namespace is not known, so it counts as outside the mesh',
  'setting-refused': 'an annotation has a value that is not allowed',
  'patch-not-applicable': 'the patch did not apply to the object, so it was not sent',
  'too-many-values': 'the object has more or longer values than a valid object can have, so it was not read',
  'too-deep': 'the object is nested too deeply',
  'internal-error': 'the decision failed; this is a defect of istio-onramp',
} as const satisfies Readonly<Record<string, string>>

export type Reason = keyof typeof REASONS

/** Appends the reason code to a sentence for users: `... [istio-onramp/strict-mtls]`. */
export function coded(text: string, reason: Reason): string {
  return `${text} [istio-onramp/${reason}]`
}

/** Returns the code at the end of a sentence, with the space before it; empty if there is none. */
export function codeAtEnd(text: string): string {
  return / \[istio-onramp\/[a-z-]+\]$/.exec(text)?.[0] ?? ''
}
