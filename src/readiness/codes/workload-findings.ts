/** Findings about pods: probes, hooks and injection. */
import type { FindingText } from './finding-text.ts'

export const WORKLOAD_FINDINGS = {
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
} as const satisfies Readonly<Record<string, FindingText>>
