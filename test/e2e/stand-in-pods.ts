/** The pods that the webhooks of stand-in.ts are asked about, and what kubectl says to each. */
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { kubectl } from '../api-server/kubectl.ts'
import { pod } from './manifests.ts'

export const NAMESPACE = 'facts'

/** A pod that the webhook of this `fact` is called for. */
export function about(fact: string, metadata: JsonObject = {}, container?: JsonObject, spec?: JsonObject): JsonObject {
  return pod({ name: fact, namespace: NAMESPACE, labels: { fact }, ...metadata }, container, spec)
}

export interface Created {
  /** Null where the API server refused. */
  readonly stored: Json
  readonly stderr: string
}

export async function create(object: JsonObject, ...more: readonly string[]): Promise<Created> {
  const { status, stdout, stderr } = await kubectl(['create', '-o', 'json', '-f', '-', ...more], object)
  return { stored: status === 0 ? (JSON.parse(stdout) as Json) : null, stderr }
}
