/**
 * The API server's audit log: who changed what, and what every webhook did to it (docs/facts/admission-requests.md#audit).
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { kubeconfig } from '../../support/api-server/kubectl.ts'

export interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code: number; readonly message?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/** A patch that a webhook answered a request with, as the audit annotation `patch.webhook.admission.k8s.io/...` has it. */
export interface AuditedPatch {
  /** `round_0_index_1`: the round, and the place among the webhooks that were called. */
  readonly place: string
  readonly configuration: string
  readonly webhook: string
  readonly patch: readonly { readonly op: string; readonly path: string }[]
}

const FILE = (): string => join(dirname(kubeconfig()), 'audit.log')

/** A place in the log, to read from later. */
export function auditMark(): number {
  return statSync(FILE()).size
}

export function auditSince(mark: number): readonly AuditEvent[] {
  const lines = readFrom(mark).toString('utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent)
}

/** Not all of the log: reviews of large objects make it larger than what is asked for. */
function readFrom(mark: number): Buffer {
  const file = openSync(FILE(), 'r')
  try {
    const bytes = Buffer.alloc(fstatSync(file).size - mark)
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, mark))
  } finally {
    closeSync(file)
  }
}

export function patchesOf({ annotations = {} }: AuditEvent): readonly AuditedPatch[] {
  const prefix = 'patch.webhook.admission.k8s.io/'
  return Object.entries(annotations).flatMap(([key, value]) =>
    key.startsWith(prefix)
      ? [{ place: key.slice(prefix.length), ...(JSON.parse(value) as Omit<AuditedPatch, 'place'>) }]
      : [],
  )
}

/** Which webhooks were called, in order: the round, the webhook, and whether it changed anything. */
export function callsOf({ annotations = {} }: AuditEvent): readonly string[] {
  return Object.entries(annotations)
    .flatMap(([key, value]) => {
      const [, round, index] = /^mutation\.webhook\.admission\.k8s\.io\/round_(\d+)_index_(\d+)$/.exec(key) ?? []
      if (round === undefined) return []
      const { webhook, mutated } = JSON.parse(value) as { webhook: string; mutated: boolean }
      return [{ place: Number(round) * 1000 + Number(index), call: `${round} ${webhook}${mutated ? ' mutated' : ''}` }]
    })
    .toSorted((left, right) => left.place - right.place)
    .map(({ call }) => call)
}

/** `pods shop/web`, with the subresource where there is one. */
export function nameOfEvent({ objectRef }: AuditEvent): string {
  const { resource = '', subresource, namespace = '', name = '' } = objectRef ?? {}
  return `${resource}${subresource === undefined ? '' : `/${subresource}`} ${namespace}/${name}`
}
