/** The pods that the webhooks of stand-in.ts are asked about, and what kubectl says to each. */
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import { kubectl } from '../../support/api-server/kubectl.ts'
import { pod } from './manifests.ts'

/** Makes pods of a namespace, each for the webhook of its `fact`. */
export function podsIn(namespace: string) {
  return (fact: string, metadata: JsonObject = {}, container?: JsonObject, spec?: JsonObject): JsonObject =>
    pod({ name: fact, namespace, labels: { fact }, ...metadata }, container, spec)
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
