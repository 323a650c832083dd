/** Findings about callers outside the mesh: the API server, gateways, node ports, scrapers. */
import type { FindingText } from './finding-text.ts'

export const INBOUND_FINDINGS = {
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
} as const satisfies Readonly<Record<string, FindingText>>
