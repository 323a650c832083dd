/** `istio-onramp restore`: prints manifests with their probes restored from the receipts, for `kubectl replace`. */
import { provePatch } from '../admission/prove-patch.ts'
import { describeSource, type Manifest } from '../cluster/manifest-source.ts'
import { InputError } from '../errors.ts'
import { stringMember } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { hasPodTemplate, readPodTemplate } from '../kubernetes/pod-template.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { restoreProbes } from '../rules/probes/restore-probes.ts'
import { documentsOf, printManifests, type Output } from './manifest-stream.ts'
import { exactObjects, jsonText, type PatchedManifest } from './manifest-yaml.ts'

export interface RestoreResult {
  /** The number of objects with a receipt. */
  readonly restored: number
  /** One line for each document that could not be used; the others were printed. */
  readonly problems: readonly string[]
}

/** Prints objects without a receipt unchanged. Throws InputError for a receipt that does not fit its object. */
export async function restore(
  files: readonly string[],
  format: 'yaml' | 'json',
  output: Output,
): Promise<RestoreResult> {
  const problems: string[] = []
  let restored = 0
  const patch = (manifest: Manifest): PatchedManifest => {
    const operations = operationsFor(manifest)
    if (operations.length > 0) restored++
    return { manifest, operations, after: resultOf(manifest, operations) }
  }
  if (format === 'yaml') await printManifests(files, patch, problems, output)
  else await printList(files, patch, problems, output)
  return { restored, problems }
}

/** Prints all objects as one List, as `kubectl get -o json` does. */
async function printList(
  files: readonly string[],
  patch: (manifest: Manifest) => PatchedManifest,
  problems: string[],
  output: Output,
): Promise<void> {
  const items: unknown[] = []
  for await (const { documents } of documentsOf(files, problems, output.tell))
    for (const document of documents) items.push(...exactObjects(document, document.manifests.map(patch)))
  await output.write(`${jsonText({ apiVersion: 'v1', kind: 'List', items })}\n`)
}

function operationsFor({ object }: Manifest): readonly Operation[] {
  const kind = stringMember(object, 'kind') ?? ''
  if (!hasPodTemplate(kind)) return []
  const template = readPodTemplate(kind, object)
  return isProblem(template) ? [] : restoreProbes(template)
}

function resultOf({ object, source }: Manifest, operations: readonly Operation[]): PatchedManifest['after'] {
  const proof = provePatch(object, operations)
  if ('problem' in proof)
    throw new InputError('receipt-invalid', [`${describeSource(source)}: the receipt does not fit: ${proof.problem}`])
  return proof.result
}
