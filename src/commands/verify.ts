/**
 * `istio-onramp verify`: asks the API server for dry-run creates, as a user would, and tells whether the webhook answered.
 *
 * Each object has an annotation of ours with a value that is not allowed. The webhook warns of it in every namespace,
 * with or without Istio, so a missing warning means that the API server did not call the webhook, or failed to.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../cluster/live/api-error.ts'
import type { ClusterApi } from '../cluster/live/cluster-api.ts'
import { messageOf } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'

/** As the chart's values `webhooks.*` name them. */
export const FUNCTIONS = ['pods', 'templates', 'ingress', 'strictSwitch'] as const

export type WebhookFunction = (typeof FUNCTIONS)[number]

export interface VerifyOptions {
  readonly api: ClusterApi
  readonly namespace: string
  readonly functions: readonly WebhookFunction[]
  /** Milliseconds until a webhook that has not answered counts as missing. */
  readonly patience: number
  readonly tell: (line: string) => void
}

const VALUE = 'verify'
const PAUSE_MS = 2000
const RUNBOOK = 'https://github.com/istio-onramp/istio-onramp/blob/main/docs/runbooks/not-called.md'

/** Returns whether every function was reviewed. Nothing is stored. */
export async function verify({ patience, ...options }: VerifyOptions): Promise<boolean> {
  const deadline = performance.now() + patience
  const results = await Promise.all(options.functions.map((name) => verifyFunction(name, options, deadline)))
  if (results.includes(false)) options.tell(`What to do: ${RUNBOOK}`)
  return !results.includes(false)
}

async function verifyFunction(
  name: WebhookFunction,
  { api, namespace, tell }: Omit<VerifyOptions, 'patience'>,
  deadline: number,
): Promise<boolean> {
  for (;;) {
    const answer = await ask(PROBES[name], api, namespace)
    if (answer.kind === 'reviewed') tell(`${name}: reviewed by the webhook`)
    if (answer.kind === 'absent') tell(`${name}: not tested, because the cluster does not serve ${PROBES[name].path}`)
    if (answer.kind !== 'missed') return true
    if (performance.now() > deadline) {
      tell(`${name}: NOT reviewed: ${answer.problem}`)
      return false
    }
    await sleep(PAUSE_MS)
  }
}

type Answer = { readonly kind: 'reviewed' | 'absent' } | { readonly kind: 'missed'; readonly problem: string }

/** The webhook has reviewed even what a later step of the API server refuses, such as a quota. */
async function ask({ path, object }: DryRun, api: ClusterApi, namespace: string): Promise<Answer> {
  const [group, plural] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const warnings: string[] = []
  let problem = `the API server did not call the webhook in namespace ${namespace}, or failed to and went on; its log says which`
  try {
    const warned = (text: string): void => void warnings.push(text)
    const body = { ...object, metadata: { ...(object['metadata'] as JsonObject), namespace } }
    const write = { method: 'POST', contentType: 'application/json', body, warned } as const
    await api.write(`${group}/namespaces/${namespace}/${plural}?dryRun=All`, write, AbortSignal.timeout(60_000))
  } catch (error) {
    problem = messageOf(error)
    if (error instanceof ApiError && error.status === 404 && !problem.includes('namespace')) return { kind: 'absent' }
  }
  const isWarned = warnings.some((text) => text.includes(`"${VALUE}"`) && text.includes('istio-onramp/'))
  const isReviewed = isWarned || /istio-onramp\.io" denied the request/.test(problem)
  return isReviewed ? { kind: 'reviewed' } : { kind: 'missed', problem }
}

interface DryRun {
  /** With the plural at its end, without the namespace. */
  readonly path: string
  readonly object: JsonObject
}

const NAME = 'istio-onramp-verify'
/** As Pod Security `restricted` demands, so that nothing else refuses the pod. */
const POD_SPEC: JsonObject = {
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'app',
      image: 'registry.k8s.io/pause:3.10',
      livenessProbe: { httpGet: { path: '/', port: 8080 } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
    },
  ],
}
const LABELS = { 'app.kubernetes.io/name': NAME }

function object(apiVersion: string, kind: string, annotation: string, spec: JsonObject): JsonObject {
  const annotations = { [`istio-onramp.io/${annotation}`]: VALUE }
  return { apiVersion, kind, metadata: { name: NAME, labels: LABELS, annotations }, spec }
}

const PROBES: Readonly<Record<WebhookFunction, DryRun>> = {
  pods: { path: '/api/v1/pods', object: object('v1', 'Pod', 'probes', POD_SPEC) },
  templates: {
    path: '/apis/apps/v1/deployments',
    object: object('apps/v1', 'Deployment', 'templates', {
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: POD_SPEC },
    }),
  },
  ingress: {
    path: '/apis/networking.k8s.io/v1/ingresses',
    object: object('networking.k8s.io/v1', 'Ingress', 'ingress', {
      defaultBackend: { service: { name: NAME, port: { number: 80 } } },
    }),
  },
  strictSwitch: {
    path: '/apis/security.istio.io/v1/peerauthentications',
    object: object('security.istio.io/v1', 'PeerAuthentication', 'strict-switch', {
      selector: { matchLabels: LABELS },
      mtls: { mode: 'STRICT' },
    }),
  },
}
