/**
 * Every finding has one of these codes. The page of each code in docs/reference/findings, `check --explain` and the
 * severity all come from this table; a code without its sentences does not compile.
 */
export const SEVERITIES = ['error', 'warn', 'info'] as const
/** `error`: something breaks. `warn`: something is wrong, or breaks only where somebody uses it. `info`: good to know. */
export type Severity = (typeof SEVERITIES)[number]

/** Where the page of a code is: `${FINDING_DOCS}${code}.md`. */
export const FINDING_DOCS = 'https://github.com/istio-onramp/istio-onramp/blob/main/docs/reference/findings/'

export interface FindingText {
  readonly severity: Severity
  /** The part of the journey that it belongs to. */
  readonly area: 'inject' | 'probes' | 'egress' | 'ingress' | 'strict'
  readonly title: string
  /** What happens and why, in one to three sentences. */
  readonly meaning: string
  /** What to do about it. */
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
      'The Service declares the port as HTTP, and the sidecar then reads every connection as clear HTTP: an HTTPS probe is refused in every mode, a gRPC probe fails on a port declared as HTTP/1.1.',
    remedy: 'Declare the port by what it speaks: appProtocol, or a port name such as https-web or grpc-api.',
  },
  'authorization-policy-blocks-probe': {
    severity: 'error',
    area: 'probes',
    title: 'An AuthorizationPolicy refuses a probe',
    meaning:
      'kubelet carries no identity, so an ALLOW policy that asks for one answers its probe with 403 (HTTP), PermissionDenied (gRPC) or a closed connection, in PERMISSIVE already.',
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
    title: 'Running pods lack the sidecar that their namespace asks for',
    meaning:
      'The pods were created before injection was switched on. STRICT does not protect them, and what they send to STRICT workloads is plain text and refused.',
    remedy: 'Restart the workload, so that its new pods are injected.',
  },
  'outside-mesh': {
    severity: 'info',
    area: 'inject',
    title: 'A workload of the namespace is outside the mesh',
    meaning: 'STRICT does not protect the workload. What it sends to STRICT workloads is plain text and refused.',
    remedy: 'Take it into the mesh, or keep in mind that it can call no STRICT workload.',
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
      'Without native sidecars the proxy starts after the init containers, so their calls are plain text (or lost, with the CNI plugin) and a STRICT workload refuses them. The pod never starts.',
    remedy:
      'Switch native sidecars on (Istio 1.27 has them on by default), or do the waiting in the application container.',
  },
  // Callbacks of the API server.
  'webhook-blocks-pods': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an admission webhook for pods, and no pod can be created',
    meaning:
      'The API server has no mesh certificate. About 45 s after the switch its pooled connections are cut and every call fails; with failurePolicy Fail on pods nothing starts any more, not even what would mend it.',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'webhook-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an admission webhook',
    meaning:
      'The API server has no mesh certificate. About 45 s after the switch its pooled connections are cut and every call fails: requests are refused (failurePolicy Fail), or pass without the webhook (Ignore).',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'conversion-webhook-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach a CRD conversion webhook',
    meaning:
      'About 45 s after the switch every read and write of the custom resource that needs a conversion fails, for all of its users.',
    remedy: 'Exclude the webhook port from the sidecar, or keep the container port PERMISSIVE.',
  },
  'api-service-unreachable': {
    severity: 'error',
    area: 'strict',
    title: 'The API server cannot reach an aggregated API',
    meaning:
      'About 20 s after the switch the APIService becomes unavailable. Its API is gone, and deletions of namespaces hang, because they list every API.',
    remedy: 'Exclude the port of the API server extension from the sidecar, or keep the container port PERMISSIVE.',
  },
  'webhook-port-declared-http': {
    severity: 'error',
    area: 'strict',
    title: 'A callback of the API server fails in PERMISSIVE already',
    meaning:
      'The Service declares the port as HTTP, so the sidecar does not let the TLS of the API server through: the call fails in every mode, STRICT is not to blame.',
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
    title: 'Traffic of an ingress controller outside the mesh is refused',
    meaning: 'The controller that serves the Ingress has no sidecar, so it calls the backend in plain text.',
    remedy: "Move the routes to Istio's gateway (istio-onramp convert), or take the controller into the mesh.",
  },
  'gateway-refused': {
    severity: 'error',
    area: 'ingress',
    title: 'Traffic of a gateway outside the mesh is refused',
    meaning: 'The gateway that serves the route is not one of Istio, so it calls the backend in plain text.',
    remedy: "Use a Gateway of Istio's class, or take the gateway into the mesh.",
  },
  // Scrapers.
  'scrape-refused': {
    severity: 'error',
    area: 'strict',
    title: 'A scrape by annotation is refused',
    meaning:
      "The pod's prometheus.io annotations send Prometheus to a STRICT port, because metrics merging is off. The scrape fails and the metrics go dark.",
    remedy:
      'Switch merging on: prometheus.istio.io/merge-metrics: "true" serves the application\'s metrics on port 15020.',
  },
  'service-monitor-refused': {
    severity: 'error',
    area: 'strict',
    title: 'The scrapes of a ServiceMonitor are refused',
    meaning: 'The ServiceMonitor sends Prometheus to a STRICT port without a mesh certificate. The metrics go dark.',
    remedy:
      'Scrape with the certificates that a sidecar of Prometheus writes out, or keep the metrics port PERMISSIVE.',
  },
  'pod-monitor-refused': {
    severity: 'error',
    area: 'strict',
    title: 'The scrapes of a PodMonitor are refused',
    meaning: 'The PodMonitor sends Prometheus to a STRICT port without a mesh certificate. The metrics go dark.',
    remedy: 'Scrape port 15020 of the sidecar, use mesh certificates, or keep the metrics port PERMISSIVE.',
  },
  // Callers and client policy.
  'plaintext-caller': {
    severity: 'error',
    area: 'inject',
    title: 'A workload outside the mesh calls a STRICT workload',
    meaning: 'The caller has no sidecar, so what it sends is plain text and is refused.',
    remedy: 'Take the caller into the mesh, or keep the port that it calls PERMISSIVE.',
  },
  'destination-rule-plaintext': {
    severity: 'error',
    area: 'strict',
    title: 'A DestinationRule makes mesh clients send what a STRICT workload refuses',
    meaning:
      'The rule sets tls mode DISABLE, SIMPLE or MUTUAL (an empty tls means DISABLE), so mesh clients do not use mesh certificates for this host.',
    remedy: "Remove trafficPolicy.tls from the rule: Istio's automatic mutual TLS then does what the server asks.",
  },
  'destination-rule-mtls-refused': {
    severity: 'error',
    area: 'strict',
    title: 'A DestinationRule makes mesh clients use mutual TLS towards a workload that takes none',
    meaning:
      'The rule sets ISTIO_MUTUAL, but the workload has mode DISABLE or no sidecar. Clients get 503 or a reset, whatever becomes STRICT.',
    remedy: "Remove trafficPolicy.tls from the rule: Istio's automatic mutual TLS then does what the server asks.",
  },
  'auto-mtls-off': {
    severity: 'error',
    area: 'strict',
    title: 'Automatic mutual TLS is off, and no DestinationRule asks for it',
    meaning:
      'enableAutoMtls is false in the mesh configuration, so mesh clients send plain text unless a DestinationRule says ISTIO_MUTUAL.',
    remedy:
      'Remove enableAutoMtls: false from the mesh configuration, or add a DestinationRule with tls mode ISTIO_MUTUAL.',
  },
  'pod-ip-call': {
    severity: 'error',
    area: 'strict',
    title: 'A mesh client calls a STRICT workload by pod IP',
    meaning: 'Istio does not know the address as a Service, so the client proxy passes the call on in plain text.',
    remedy: 'Call the workload by the name of a Service; a headless Service keeps the choice of the pod.',
  },
  'outbound-bypass': {
    severity: 'error',
    area: 'egress',
    title: 'A mesh client bypasses its own proxy on the way to a STRICT workload',
    meaning:
      'What the pod sends there is not redirected into its sidecar (includeOutboundIPRanges, excludeOutboundIPRanges, excludeOutboundPorts, UID or GID 1337, interceptionMode NONE), so it arrives in plain text.',
    remedy: 'Redirect the addresses and ports of the mesh into the sidecar.',
  },
  'outbound-bypass-possible': {
    severity: 'warn',
    area: 'egress',
    title: 'A mesh client does not redirect traffic to Services into its proxy',
    meaning: 'Should the workload call a STRICT workload, the call would arrive in plain text and be refused.',
    remedy: 'Redirect the addresses and ports of the mesh into the sidecar.',
  },
  'sidecar-hides-service': {
    severity: 'error',
    area: 'strict',
    title: 'A Sidecar object hides a STRICT workload from its caller',
    meaning:
      'The egress hosts of the Sidecar leave the Service out, so the client proxy does not know it and passes the call on in plain text, or blocks it.',
    remedy: 'Add the Service to the egress hosts of the Sidecar.',
  },
  'excluded-port-behind-service': {
    severity: 'warn',
    area: 'strict',
    title: 'A Service port leads past the sidecar, and mesh clients still send mutual TLS',
    meaning:
      'The server does not redirect the port into its sidecar, but mesh clients do not know that: they send mutual TLS and get 503 or a reset, in PERMISSIVE already.',
    remedy: 'Redirect the port again, or add a DestinationRule with portLevelSettings tls mode DISABLE for it.',
  },
  'interception-none': {
    severity: 'warn',
    area: 'strict',
    title: 'The sidecar intercepts nothing',
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
    title: 'A plain-text caller of a server-first protocol hangs in PERMISSIVE already',
    meaning:
      'The proxy waits for the first bytes of the client before it decides between mutual TLS and plain text, while the client waits for the server. STRICT is not to blame.',
    remedy: 'Take the caller into the mesh, or set the port to DISABLE.',
  },
  // Policies.
  'policy-selects-nothing': {
    severity: 'warn',
    area: 'strict',
    title: 'A PeerAuthentication selects no workload',
    meaning: 'No workload of its namespace has the labels of its selector, so it has no effect.',
    remedy: 'Correct the selector, or delete the policy.',
  },
  'policy-shadowed': {
    severity: 'warn',
    area: 'strict',
    title: 'An older PeerAuthentication hides this one',
    meaning:
      'Istio uses only the oldest policy without selector of a namespace, and for a workload only the oldest whose selector matches. The others are ignored, also where the older one is UNSET.',
    remedy: 'Merge the two policies into the older one and delete the other.',
  },
  'port-level-unused': {
    severity: 'warn',
    area: 'strict',
    title: 'The port of a portLevelMtls entry belongs to no selected container',
    meaning:
      'The number is the port of the container, not of the Service. The entry has no effect on the Service port.',
    remedy: 'Use the number of the container port.',
  },
  // Ambient.
  'network-policy-blocks-tunnel': {
    severity: 'error',
    area: 'strict',
    title: 'A NetworkPolicy blocks the tunnel of the ambient mesh',
    meaning: 'Mesh traffic reaches an ambient pod on port 15008, and no NetworkPolicy that selects the pod admits it.',
    remedy: 'Admit TCP port 15008.',
  },
  'network-policy-blocks-probes': {
    severity: 'error',
    area: 'probes',
    title: "A NetworkPolicy blocks kubelet's probes of an ambient pod",
    meaning:
      "In ambient mode kubelet's probes arrive from 169.254.7.127 (IPv6: fd16:9254:7127:1337:ffff:ffff:ffff:ffff), and no NetworkPolicy that selects the pod admits that address.",
    remedy: 'Admit 169.254.7.127/32 and fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128.',
  },
  // Of the report itself.
  'ignore-invalid': {
    severity: 'warn',
    area: 'strict',
    title: 'An ignore entry is not valid',
    meaning: 'An entry needs a known code and a reason; without them nothing is ignored.',
    remedy: 'Write istio-onramp.io/ignore: "CODE[@SLOT]=REASON[; until=2027-01-31]".',
  },
} as const satisfies Readonly<Record<string, FindingText>>

export type FindingCode = keyof typeof FINDINGS

export const FINDING_CODES = Object.keys(FINDINGS) as readonly FindingCode[]

export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(FINDINGS, text)
}
