/**
 * The codes of all findings. The pages in docs/reference/findings, `check --explain` and the severities come from this
 * table. A code without its sentences does not compile.
 */
export const SEVERITIES = ['error', 'warn', 'info'] as const
/**
 * `error`: something breaks. `warn`: a setting is wrong, or something breaks only when it is used. `info`: good to
 * know.
 */
export type Severity = (typeof SEVERITIES)[number]

/** The page of a code is `${FINDING_DOCS}${code}.md`. */
export const FINDING_DOCS = 'https://github.com/istio-onramp/istio-onramp/blob/main/docs/reference/findings/'

export interface FindingText {
  readonly severity: Severity
  /** The step of the migration that it belongs to. */
  readonly area: 'inject' | 'probes' | 'egress' | 'ingress' | 'strict'
  readonly title: string
  /** What happens and why, in one to three sentences. */
  readonly meaning: string
  readonly remedy: string
}

export const FINDINGS = {
  // Probes and hooks.
  'probe-fails': {
    severity: 'error',
    area: 'probes',
    title: 'A probe fails under STRICT',
    meaning:
      'kubelet has no mesh certificate, so the sidecar resets its HTTP probe and lets its gRPC probe time out. A failing liveness or startup probe restarts the container, a failing readiness probe takes the pod out of its Services.',
    remedy:
      'Let Istio serve the probe (remove sidecar.istio.io/rewriteAppHTTPProbers: "false"), install the istio-onramp webhook and recreate the pods, or move the probe to a port without mutual TLS.',
  },
  'probe-fails-until-recreated': {
    severity: 'error',
    area: 'probes',
    title: 'A probe of running pods fails under STRICT until the pods are recreated',
    meaning:
      'The running pods have a probe that STRICT breaks. New pods would get a working one, because Istio or the istio-onramp webhook rewrites it when the pod is created.',
    remedy: 'Restart the workload before the switch.',
  },
  'hook-fails': {
    severity: 'error',
    area: 'probes',
    title: 'A lifecycle hook fails under STRICT',
    meaning:
      'The sidecar resets the HTTP request of the hook. A postStart hook that fails kills its container; a preStop hook that fails is skipped and the container stops without it.',
    remedy:
      'Let Istio serve the hook (Istio 1.25 or later, rewriting on), install the istio-onramp webhook and recreate the pods, or use an exec hook.',
  },
  'probe-always-passes': {
    severity: 'warn',
    area: 'probes',
    title: 'A tcpSocket probe always passes',
    meaning:
      'The sidecar completes every TCP handshake on a captured port, in PERMISSIVE and in STRICT, whether the application listens or not. The probe no longer notices that the application is down.',
    remedy: 'Let Istio or the istio-onramp webhook rewrite the probe, or use an httpGet, grpc or exec probe.',
  },
  'probe-rewritten': {
    severity: 'info',
    area: 'probes',
    title: 'The istio-onramp webhook rewrites this probe or hook',
    meaning: 'STRICT would break the probe or hook; the webhook rewrites it when the pod is created.',
    remedy: 'Nothing to do while the webhook is installed.',
  },
  'probe-fails-already': {
    severity: 'error',
    area: 'probes',
    title: 'A probe fails in the mesh, STRICT or not',
    meaning:
      'The Service declares the port as HTTP, so the sidecar parses every connection as plain-text HTTP. It refuses HTTPS probes in every mode, and gRPC probes if the port is declared as HTTP/1.1.',
    remedy: 'Declare the real protocol of the port: set appProtocol, or use a port name such as https-web or grpc-api.',
  },
  'authorization-policy-blocks-probe': {
    severity: 'error',
    area: 'probes',
    title: 'An AuthorizationPolicy denies a probe',
    meaning:
      'kubelet has no mesh identity. An ALLOW policy that requires one denies its probe with 403 (HTTP), PermissionDenied (gRPC) or a closed connection, even in PERMISSIVE.',
    remedy:
      "Let Istio's agent serve the probe (rewriteAppHTTPProbers), or allow the probe's port and path without a source.",
  },
  'tcp-hook-fails': {
    severity: 'warn',
    area: 'probes',
    title: 'A tcpSocket hook never works',
    meaning:
      'kubelet refuses tcpSocket lifecycle hooks, with or without a mesh: a postStart hook of this kind kills its container, a preStop hook is skipped.',
    remedy: 'Use an exec, httpGet or sleep hook.',
  },
  // Injection.
  'sidecar-missing': {
    severity: 'warn',
    area: 'inject',
    title: 'Running pods have no sidecar although their namespace injects one',
    meaning:
      'The pods were created before injection was enabled. STRICT does not protect them, and STRICT workloads refuse their calls, which are plain text.',
    remedy: 'Restart the workload, so that its new pods are injected.',
  },
  'outside-mesh': {
    severity: 'info',
    area: 'inject',
    title: 'A workload of the namespace is outside the mesh',
    meaning: 'STRICT does not protect the workload. STRICT workloads refuse its calls, which are plain text.',
    remedy: 'Add it to the mesh, or accept that it cannot call STRICT workloads.',
  },
  'pod-refused': {
    severity: 'error',
    area: 'inject',
    title: "Istio's injector refuses the pod",
    meaning: "An annotation has a value that Istio's injector does not accept, so the pod cannot be created.",
    remedy: 'Correct the annotation.',
  },
  'init-container-call': {
    severity: 'error',
    area: 'inject',
    title: 'An init container calls a STRICT workload before the proxy runs',
    meaning:
      'Without native sidecars the proxy starts after the init containers, so STRICT workloads refuse their calls, which are plain text (with the CNI plugin the calls are lost). The pod never starts.',
    remedy: 'Enable native sidecars (the default since Istio 1.27), or move the wait into the application container.',
  },
  // Callbacks of the API server.
  'webhook-blocks-pods': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an admission webhook for pods, and no pod can be created',
    meaning:
      'The API server has no mesh certificate. About 45 s after the switch its pooled connections close and every call fails. With failurePolicy Fail on pods, no pod can start, not even one that would fix this.',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'webhook-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an admission webhook',
    meaning:
      'The API server has no mesh certificate. About 45 s after the switch its pooled connections close and every call fails: requests are refused (failurePolicy Fail), or skip the webhook (Ignore).',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'conversion-webhook-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach a CRD conversion webhook',
    meaning: 'About 45 s after the switch, every read and write of the custom resource that needs a conversion fails.',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'api-service-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an aggregated API',
    meaning:
      'About 20 s after the switch the APIService becomes unavailable. Its API cannot be used, and namespace deletions hang, because they list every API.',
    remedy: 'Exclude the port of the API server extension from the sidecar, or keep the container port PERMISSIVE.',
  },
  'webhook-port-declared-http': {
    severity: 'error',
    area: 'strict',
    title: 'A callback of the API server fails even in PERMISSIVE',
    meaning:
      "The Service declares the port as HTTP, so the sidecar rejects the API server's TLS. The call fails in every mode; STRICT is not the cause.",
    remedy: 'Rename the Service port to https, or set appProtocol: https.',
  },
  // Traffic from outside.
  'load-balancer-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic through a load balancer is refused',
    meaning: 'A Service of type LoadBalancer brings callers without a mesh certificate straight to a STRICT port.',
    remedy: 'Expose the workload through a gateway of the mesh, or keep the container port PERMISSIVE.',
  },
  'node-port-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic through a node port is refused',
    meaning: 'A Service of type NodePort brings callers without a mesh certificate straight to a STRICT port.',
    remedy: 'Expose the workload through a gateway of the mesh, or keep the container port PERMISSIVE.',
  },
  'external-ip-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic to an external IP is refused',
    meaning: "The Service's externalIPs bring callers without a mesh certificate straight to a STRICT port.",
    remedy: 'Expose the workload through a gateway of the mesh, or keep the container port PERMISSIVE.',
  },
  'host-port-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic to a host port is refused',
    meaning: 'A hostPort brings callers without a mesh certificate straight to a STRICT port.',
    remedy: 'Expose the workload through a gateway of the mesh, or keep the container port PERMISSIVE.',
  },
  'ingress-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic from an ingress controller outside the mesh is refused',
    meaning: 'The controller that serves the Ingress has no sidecar, so it calls the backend in plain text.',
    remedy: "Move the routes to Istio's gateway (istio-onramp convert), or take the controller into the mesh.",
  },
  'gateway-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic from a gateway outside the mesh is refused',
    meaning: "The gateway that serves the route is not Istio's, so it calls the backend in plain text.",
    remedy: "Use a Gateway of Istio's class, or take the gateway into the mesh.",
  },
  // Scrapers.
  'scrape-refused': {
    severity: 'error',
    area: 'strict',
    title: 'A scrape configured by annotation is refused',
    meaning:
      "The pod's prometheus.io annotations send Prometheus to a STRICT port, because metrics merging is off. The scrape fails and the metrics are missing.",
    remedy:
      'Enable merging: prometheus.istio.io/merge-metrics: "true" serves the application\'s metrics on port 15020.',
  },
  'service-monitor-refused': {
    severity: 'error',
    area: 'strict',
    title: "A ServiceMonitor's scrapes are refused",
    meaning:
      'The ServiceMonitor sends Prometheus to a STRICT port without a mesh certificate. The metrics are missing.',
    remedy:
      "Scrape with the certificates that Prometheus' own sidecar writes to disk, or keep the metrics port PERMISSIVE.",
  },
  'pod-monitor-refused': {
    severity: 'error',
    area: 'strict',
    title: "A PodMonitor's scrapes are refused",
    meaning: 'The PodMonitor sends Prometheus to a STRICT port without a mesh certificate. The metrics are missing.',
    remedy: 'Scrape port 15020 of the sidecar, use mesh certificates, or keep the metrics port PERMISSIVE.',
  },
  // Callers and client policy.
  'plaintext-caller': {
    severity: 'error',
    area: 'inject',
    title: 'A workload outside the mesh calls a STRICT workload',
    meaning: 'The caller has no sidecar, so its calls are plain text and are refused.',
    remedy: 'Add the caller to the mesh, or keep the port that it calls PERMISSIVE.',
  },
  'destination-rule-plaintext': {
    severity: 'error',
    area: 'strict',
    title: 'A DestinationRule makes mesh clients bypass the mutual TLS that a STRICT workload requires',
    meaning:
      'The rule sets tls mode DISABLE, SIMPLE or MUTUAL (an empty tls means DISABLE), so mesh clients do not use mesh certificates for this host.',
    remedy: "Remove trafficPolicy.tls from the rule: Istio's automatic mutual TLS then does what the server asks.",
  },
  'destination-rule-mtls-refused': {
    severity: 'error',
    area: 'strict',
    title: 'A DestinationRule makes mesh clients use mutual TLS towards a workload that does not accept it',
    meaning:
      'The rule sets ISTIO_MUTUAL, but the workload has mode DISABLE or no sidecar. Clients get a 503 or a connection reset, with or without STRICT.',
    remedy: "Remove trafficPolicy.tls from the rule: Istio's automatic mutual TLS then does what the server asks.",
  },
  'auto-mtls-off': {
    severity: 'error',
    area: 'strict',
    title: 'Automatic mutual TLS is off, and no DestinationRule enables it',
    meaning:
      'enableAutoMtls is false in the mesh configuration, so mesh clients send plain text unless a DestinationRule sets ISTIO_MUTUAL.',
    remedy:
      'Remove enableAutoMtls: false from the mesh configuration, or add a DestinationRule with tls mode ISTIO_MUTUAL.',
  },
  'pod-ip-call': {
    severity: 'error',
    area: 'strict',
    title: 'A mesh client calls a STRICT workload by pod IP',
    meaning: "Istio does not map the address to a Service, so the client's sidecar forwards the call in plain text.",
    remedy: 'Call the workload by a Service name; with a headless Service the client can still choose the pod.',
  },
  'outbound-bypass': {
    severity: 'error',
    area: 'egress',
    title: 'A mesh client bypasses its own proxy on the way to a STRICT workload',
    meaning:
      "The pod's traffic to it is not redirected into its sidecar (includeOutboundIPRanges, excludeOutboundIPRanges, excludeOutboundPorts, UID or GID 1337, interceptionMode NONE), so it arrives in plain text.",
    remedy: "Redirect the mesh's addresses and ports into the sidecar.",
  },
  'outbound-bypass-possible': {
    severity: 'warn',
    area: 'egress',
    title: 'A mesh client does not redirect traffic to Services into its proxy',
    meaning: 'If the workload calls a STRICT workload, the call arrives in plain text and is refused.',
    remedy: "Redirect the mesh's addresses and ports into the sidecar.",
  },
  'sidecar-hides-service': {
    severity: 'error',
    area: 'strict',
    title: 'A Sidecar object hides a STRICT workload from its caller',
    meaning:
      "The Sidecar's egress hosts do not include the Service, so the client's sidecar does not know it and forwards the call in plain text, or blocks it.",
    remedy: 'Add the Service to the egress hosts of the Sidecar.',
  },
  'excluded-port-behind-service': {
    severity: 'warn',
    area: 'strict',
    title: 'A Service port bypasses the sidecar, and mesh clients still send mutual TLS',
    meaning:
      'The server does not redirect the port into its sidecar, but mesh clients do not know that: they send mutual TLS and get a 503 or a connection reset, even in PERMISSIVE.',
    remedy: 'Redirect the port again, or add a DestinationRule with portLevelSettings tls mode DISABLE for it.',
  },
  'interception-none': {
    severity: 'warn',
    area: 'strict',
    title: 'The sidecar intercepts no traffic',
    meaning:
      'With interceptionMode NONE nothing is redirected: STRICT is not enforced, outbound calls are plain text, and the proxy can take port numbers that the application needs.',
    remedy: 'Remove sidecar.istio.io/interceptionMode: NONE.',
  },
  'ipv6-not-strict': {
    severity: 'warn',
    area: 'strict',
    title: 'STRICT is not enforced on IPv6',
    meaning:
      "The pods have IPv4 and IPv6 addresses, and Istio is not installed for dual stack: IPv6 is not redirected, so plain text to the pod's IPv6 address reaches the application.",
    remedy: 'Install Istio with ISTIO_DUAL_STACK=true, or give the pods one address family.',
  },
  'server-first-hangs': {
    severity: 'error',
    area: 'strict',
    title: 'A plain-text caller of a server-first protocol hangs even in PERMISSIVE',
    meaning:
      "The sidecar waits for the client's first bytes to tell mutual TLS from plain text, while the client waits for the server. STRICT is not the cause.",
    remedy: 'Add the caller to the mesh, or set the port to DISABLE.',
  },
  // Policies.
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
  // Of the report itself.
  'ignore-invalid': {
    severity: 'warn',
    area: 'strict',
    title: 'An ignore entry is invalid',
    meaning: 'An entry needs a known code and a reason. Without them it ignores nothing.',
    remedy: 'Write istio-onramp.io/ignore: "CODE[@SLOT]=REASON[; until=2027-01-31]".',
  },
} as const satisfies Readonly<Record<string, FindingText>>

export type FindingCode = keyof typeof FINDINGS

export const FINDING_CODES = Object.keys(FINDINGS) as readonly FindingCode[]

export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(FINDINGS, text)
}
