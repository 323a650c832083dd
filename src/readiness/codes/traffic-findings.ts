/** Findings about connections that access logs and metrics show. */
import type { FindingText } from './finding-text.ts'

export const TRAFFIC_FINDINGS = {
  'plaintext-connection': {
    severity: 'error',
    area: 'inject',
    title: 'An access log shows plain-text connections to a STRICT port',
    meaning:
      "A sidecar's access log has connections without mutual TLS to a port that accepts only mutual TLS. kubelet's probes and the API server's checks are not among them.",
    remedy: 'Add the caller to the mesh, let it call through a gateway of the mesh, or keep the port PERMISSIVE.',
  },
  'plaintext-connection-open': {
    severity: 'info',
    area: 'inject',
    title: 'An access log shows plain-text connections to a port that accepts them',
    meaning:
      "A sidecar's access log has connections without mutual TLS. The port accepts them today; under STRICT it would refuse them.",
    remedy: 'Add the caller to the mesh before the namespace turns STRICT.',
  },
  'plaintext-traffic': {
    severity: 'error',
    area: 'inject',
    title: 'Metrics count plain-text traffic to a STRICT workload',
    meaning:
      'Sidecars reported requests or bytes with connection_security_policy="none", more than the probes of kubelet make. Metrics cannot name callers without a sidecar.',
    remedy: 'Name the callers with --access-log, then add them to the mesh, or keep the port PERMISSIVE.',
  },
  'plaintext-traffic-open': {
    severity: 'info',
    area: 'inject',
    title: 'Metrics count plain-text traffic to a workload that accepts it',
    meaning:
      'Sidecars reported requests or bytes with connection_security_policy="none". They work today; under STRICT they would be refused.',
    remedy: 'Name the callers with --access-log before the namespace turns STRICT.',
  },
  'egress-host-unknown': {
    severity: 'info',
    area: 'egress',
    title: 'A workload called an external host that no ServiceEntry covers',
    meaning:
      'The access log of its sidecar has the call under PassthroughCluster. It works as long as the outbound traffic policy is ALLOW_ANY.',
    remedy: 'Apply the ServiceEntry that is printed with the finding before the policy becomes REGISTRY_ONLY.',
  },
  'egress-host-blocked': {
    severity: 'error',
    area: 'egress',
    title: 'A workload called an external host, and its sidecar blocked the call',
    meaning:
      'The access log of its sidecar has the call under BlackHoleCluster: the outbound traffic policy is REGISTRY_ONLY, and no ServiceEntry covers the host.',
    remedy: 'Apply the ServiceEntry that is printed with the finding.',
  },
  'open-connections-unlogged': {
    severity: 'info',
    area: 'strict',
    title: 'Connections that stayed open left no line in the access log',
    meaning:
      'Envoy writes the line of a TCP connection when the connection ends. Pools of database and webhook clients stay open for hours, so a log without them proves nothing about them.',
    remedy: 'Collect logs for longer than the longest connection, or restart the clients while the logs are collected.',
  },
  'access-log-too-broad': {
    severity: 'info',
    area: 'strict',
    title: 'The access log has lines that are not needed to find plain-text callers',
    meaning:
      'A Telemetry object can limit the access log of a namespace to inbound connections without mutual TLS. Nothing is restarted for it.',
    remedy: 'Apply the Telemetry object that is printed with the finding, and delete it after the switch.',
  },
  'access-log-lines-unreadable': {
    severity: 'warn',
    area: 'strict',
    title: 'An access log has lines that could not be read',
    meaning:
      "The lines are neither in Istio's default text or JSON format nor in a format of the mesh configuration, so connections may be missing in the report.",
    remedy:
      'Include the ConfigMap istio of istio-system in the input if the mesh has a custom accessLogFormat, and check that the file is the log of the container istio-proxy.',
  },
  'access-log-pods-unknown': {
    severity: 'warn',
    area: 'strict',
    title: 'An access log has lines of pods that the input does not contain',
    meaning:
      'The address that was called belongs to no pod of the input, for example because the pod was replaced since. Its callers are not in the report.',
    remedy: 'Read the log and the cluster at the same time, or include the pods in the input.',
  },
  'access-log-format-incomplete': {
    severity: 'warn',
    area: 'strict',
    title: 'The custom access log format lacks what callers are found by',
    meaning:
      'A format of the mesh configuration has no remote address, local address, upstream cluster, or no sign of mutual TLS, so its lines cannot be judged.',
    remedy: "Add the operators named in the finding, or use Istio's default format.",
  },
} as const satisfies Readonly<Record<string, FindingText>>
