/**
 * Every error that a user may see, by its stable code. `docs/reference/errors.md` is generated from these tables. The
 * code is printed after each message of the command line and the server, and is a metric label in the server.
 */
export interface ErrorDescription {
  readonly meaning: string
  readonly remedy: string
}

/** Errors of the command line; each ends it with exit code 2. */
export const INPUT_ERRORS = {
  'manifest-unreadable': {
    meaning:
      'A file, a folder or standard input given with -f or --from contains something other than a Kubernetes object.',
    remedy: 'Correct the file at the document and line named in the message, or use another path.',
  },
  'object-invalid': {
    meaning:
      'An object given with --from has a field that Istio or Kubernetes would refuse, so no decision would be reliable.',
    remedy: 'Correct the field named in the message.',
  },
  'configuration-invalid': {
    meaning: 'The file given with --config cannot be read, has an unknown key, or has a value that is not allowed.',
    remedy: 'Correct the key named in the message. docs/reference/configuration.md lists every key.',
  },
  'cluster-not-found': {
    meaning: 'There is no kubeconfig and no service account, or the kubeconfig has no such context.',
    remedy: 'Set KUBECONFIG, name a context with --context, or use --from to read the cluster from manifests.',
  },
  'cluster-unreadable': {
    meaning: 'The API server cannot be reached, or refuses to list a kind. A partial answer would look complete.',
    remedy: 'Check the connection, and that you may list the kinds named in the message in all namespaces.',
  },
  'address-unusable': {
    meaning: 'Nothing can listen on the address given with --listen or --metrics.',
    remedy: 'Use a free port (0 lets the system choose one) and an address of this machine.',
  },
  'certificate-unusable': {
    meaning: 'The files given with --tls-cert and --tls-key cannot be read, or are not a certificate and its key.',
    remedy: 'Use PEM files with the certificate chain and its private key.',
  },
  'output-unwritable': {
    meaning: 'The file named by --report or --tls-ca-out cannot be written.',
    remedy: 'Name a file in an existing folder that you may write to.',
  },
  'report-invalid': {
    meaning: 'The file given with --baseline is not a report of this version of check.',
    remedy: 'Write a new baseline: istio-onramp check -o json=baseline.json.',
  },
  'ignore-invalid': {
    meaning: 'The file given with --ignore has a line without a known code.',
    remedy: 'Write CODE[@SLOT]=REASON[; until=2027-01-31], one per line.',
  },
  'access-log-unreadable': {
    meaning: 'A file, folder or stream given with --access-log is not a text, JSON or gzip file, or is cut off.',
    remedy: 'Give the output of kubectl logs -c istio-proxy, or a file that a collector wrote of it.',
  },
  'pod-logs-unreadable': {
    meaning: 'The logs of a sidecar, which --access-log live needs, cannot be read from the API server.',
    remedy:
      'Ask for get on pods/log: the chart has a ClusterRole for it (rbac.accessLogs). Or give files that kubectl logs wrote.',
  },
  'prometheus-url-invalid': {
    meaning: 'The value of --prometheus is not a URL with the scheme http or https.',
    remedy: 'Write the URL of its API, such as http://localhost:9090; kubectl port-forward makes it reachable.',
  },
  'prometheus-unauthorized': {
    meaning: 'Prometheus, or the proxy before it, refuses the request (401 or 403).',
    remedy: 'Put a user and password into the URL, or reach Prometheus by kubectl port-forward.',
  },
  'prometheus-timeout': {
    meaning: 'Prometheus did not answer in 30 seconds.',
    remedy: 'Check the address, or ask about a shorter time with --since.',
  },
  'prometheus-certificate': {
    meaning: 'The certificate of Prometheus is not valid for its address, has expired, or is of an unknown authority.',
    remedy: 'Use the name in the certificate, and give its authority in NODE_EXTRA_CA_CERTS.',
  },
  'prometheus-metric-missing': {
    meaning: "Prometheus has none of Istio's standard metrics in the span.",
    remedy: 'Name the Prometheus that scrapes the sidecars, and check that metrics are not switched off by Telemetry.',
  },
  'prometheus-failed': {
    meaning: 'Prometheus cannot be reached, or answers with an error.',
    remedy: 'Read the message, which is its own.',
  },
  'receipt-invalid': {
    meaning: 'The annotation istio-onramp.io/rewritten does not match the object, so restore cannot undo the rewrite.',
    remedy: 'Restore the probes from your own manifests.',
  },
} as const satisfies Readonly<Record<string, ErrorDescription>>

/**
 * Requests that get no review as an answer. To the API server each is a failed call, and the webhook's failurePolicy
 * decides (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy).
 */
export const HTTP_ERRORS = {
  'too-large': {
    status: 413,
    meaning: 'The review is larger than limits.requestBytes.',
    remedy: 'Raise limits.requestBytes if you lowered it: a valid object can arrive as 27 MB.',
  },
  overloaded: {
    status: 503,
    meaning: 'The reviews in flight exceed limits.inFlightBytes. The API server retries.',
    remedy: 'Add replicas, or raise limits.inFlightBytes together with the memory limit.',
  },
  'slow-body': {
    status: 408,
    meaning: 'The request body did not arrive in 30 s, or not in 5 s while other large bodies waited.',
    remedy: 'Check the network between the API server and the webhook.',
  },
  'too-many-values': {
    status: 413,
    meaning: 'The request has more values than any valid AdmissionReview before its object begins.',
    remedy: 'Send reviews as the API server does.',
  },
  'client-certificate': {
    status: 401,
    meaning: 'The server was started with --client-ca, and the client has no certificate of that authority.',
    remedy: 'Configure a client certificate for webhooks in the API server (AdmissionConfiguration with a kubeconfig).',
  },
  'content-type': {
    status: 415,
    meaning: 'The request is not application/json.',
    remedy: 'Send an AdmissionReview as application/json, as the API server does.',
  },
  'content-encoding': {
    status: 415,
    meaning: 'The request body is compressed. The API server never compresses reviews.',
    remedy: 'Send the body uncompressed. If a proxy compresses it, disable that.',
  },
  'not-json': {
    status: 400,
    meaning: 'The request body is not JSON.',
    remedy: 'Send an AdmissionReview as JSON.',
  },
  'not-a-review': {
    status: 400,
    meaning: 'The request body is JSON, but not an AdmissionReview with a request.',
    remedy: 'Send an AdmissionReview of admission.k8s.io/v1. The message names the field.',
  },
} as const satisfies Readonly<Record<string, ErrorDescription & { readonly status: number }>>

/** Errors that the server logs when it reads the cluster. It keeps the last known state and retries. */
export const CLUSTER_ERRORS = {
  'api-server': {
    meaning: 'The API server answered a list or a watch with an error or with unexpected data.',
    remedy:
      'Read the message, which is the API server’s own. 403 means that the ClusterRole of the chart is missing a rule.',
  },
} as const satisfies Readonly<Record<string, ErrorDescription>>

export type InputErrorCode = keyof typeof INPUT_ERRORS
export type HttpErrorCode = keyof typeof HTTP_ERRORS
export type ErrorCode = InputErrorCode | HttpErrorCode | keyof typeof CLUSTER_ERRORS

/**
 * Input that cannot be used. Each problem is one line that names the file or flag, the place in it and the allowed
 * values.
 */
export class InputError extends Error {
  readonly code: InputErrorCode
  readonly problems: readonly string[]

  constructor(code: InputErrorCode, problems: readonly string[]) {
    super(problems.join('\n'))
    this.code = code
    this.problems = problems
  }
}

/** Appends the error code to the message, as denials have their reason code. */
export function withErrorCode(message: string, code: ErrorCode): string {
  return `${message} [istio-onramp/${code}]`
}

/** Returns the message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Returns the code that Node or a library set, such as `ENOENT`, `EADDRINUSE` or `FST_ERR_CTP_INVALID_MEDIA_TYPE`;
 * undefined if there is none.
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
