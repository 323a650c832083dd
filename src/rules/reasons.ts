/**
 * Every outcome has one of these codes and its sentence. The metric label, the log field, the receipt and the message all
 * take it from here; a code without a sentence does not compile.
 */
export const REASONS = {
  // Why a probe or hook is changed.
  'strict-mtls': 'the port accepts only mutual TLS (STRICT) and kubelet has no mesh certificate',
  'strict-mtls-tcp': 'under STRICT the proxy completes every TCP handshake, so this check would always pass',
  'prepare-strict': 'the namespace asks to be rewritten as though STRICT were already on',
  // Why a probe or hook is left as it is.
  'no-sidecar': 'the pod gets no Istio sidecar',
  ambient: "the pod is in ambient mode, where kubelet's probes bypass the mesh",
  'istio-refuses-pod': "Istio's injector refuses this pod",
  'istio-container': "the container is Istio's own",
  'not-captured': 'the port is not redirected to the sidecar, so kubelet reaches it directly',
  'not-strict': 'the port accepts plain text',
  'istio-rewrites': 'Istio itself serves this check through its agent',
  'served-by-agent': "the check already points at Istio's agent",
  'already-rewritten': 'the check already runs by the prober',
  'local-handler': 'the check runs inside the container and never meets the proxy',
  'tcp-hook': 'kubelet does not run tcpSocket hooks, with or without a mesh',
  'other-host': "the check goes to another host than the pod's own",
  'unresolvable-port': 'no port of the container has this name, so kubelet cannot run the check either',
  off: 'probe rewriting is switched off',
  windows: 'there is no prober for Windows',
  'prober-path-taken': "the container has a volume of its own where the prober's would be mounted",
  'prober-name-taken':
    'something else in the pod is called istio-onramp-prober, or in the container ISTIO_ONRAMP_POD_IP, as the prober needs it',
  malformed: 'the object is not what Kubernetes allows there',
  'exempt-namespace': 'the namespace is exempt by configuration',
  // Why a template is left to its pods.
  'at-pod-creation': 'the template stays as it is written; its pods are rewritten as they are created',
  'template-left': 'the templates setting says to leave it; its pods are rewritten as they are created',
  'argo-cd':
    'Argo CD tracks the object, so the template stays as Git has it; its pods are rewritten as they are created',
  'controller-owned': 'a controller owns the object; changing its template alone would never settle',
  'template-unchanged': 'the request does not change the template',
  // Ingress.
  'ingress-in-mesh': 'an Ingress has no effect on the Istio gateway of this namespace',
  'not-in-mesh': 'the namespace is not part of the mesh',
  'ingress-allowed': 'annotation istio-onramp.io/ingress allows it',
  'ingress-istio-class': 'Istio serves this Ingress itself',
  'ingress-acme-solver': "it is cert-manager's answer to an ACME HTTP-01 challenge",
  'ingress-being-deleted': 'it is being deleted',
  'ingress-spec-unchanged': 'the request does not change the spec',
  'ingress-acme-paths-only': 'the request changes nothing but ACME challenge paths',
  'ingress-to-gateway': 'its backends are the ingress gateway itself',
  'ingress-trusted-user': 'a controller that the configuration trusts writes it',
  // Requests that no rule decides.
  'no-rule': 'no rule applies to this kind',
  'nothing-to-decide': 'the request carries no object to decide about',
  'cluster-unknown': 'the cluster has not been read yet, or not for too long, so nothing can be decided',
  'namespace-not-declared': 'the namespace is not known, so it counts as outside the mesh',
  'setting-refused': 'an annotation has a value that is not allowed',
  'patch-not-applicable': 'the patch did not apply to the object, so it was not sent',
  'too-many-values': 'the object has more values than a legal object can have, so it was not read',
  'too-deep': 'the object is nested too deeply',
  'internal-error': 'deciding failed; this is a defect of istio-onramp',
} as const satisfies Readonly<Record<string, string>>

export type Reason = keyof typeof REASONS

/** A sentence for users with the code that explains it: `... [istio-onramp/strict-mtls]`. */
export function coded(text: string, reason: Reason): string {
  return `${text} [istio-onramp/${reason}]`
}

/** The code at the end of a sentence, with the space before it; empty where there is none. */
export function codeAtEnd(text: string): string {
  return / \[istio-onramp\/[a-z-]+\]$/.exec(text)?.[0] ?? ''
}
