/** Findings about callers in the mesh and the policies of clients. */
import type { FindingText } from './finding-text.ts'

export const CALLER_FINDINGS = {
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
  'tls-to-http-port': {
    severity: 'warn',
    area: 'strict',
    title: 'A caller speaks TLS to a Service port that is declared as HTTP',
    meaning:
      'The Service declares the port as HTTP, so a sidecar parses what arrives there as HTTP and refuses the TLS handshake, in PERMISSIVE as well. STRICT is not the cause.',
    remedy: 'Rename the Service port to https, or set appProtocol: https.',
  },
  'server-first-hangs': {
    severity: 'error',
    area: 'strict',
    title: 'A caller of a server-first or very short protocol hangs even in PERMISSIVE',
    meaning:
      "A sidecar waits for the client's first bytes: the server's, to tell mutual TLS from plain text, and the client's, to tell HTTP from TCP where the Service does not declare the port. The client waits for the server, or sends fewer bytes than the sidecar needs. STRICT is not the cause.",
    remedy:
      'Declare the port as TCP (appProtocol: tcp), and add a caller outside the mesh to it, or set the port to DISABLE.',
  },
} as const satisfies Readonly<Record<string, FindingText>>
