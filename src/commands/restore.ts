/** `istio-onramp restore`: manifests with their probes where the receipts say they were. Feed it to `kubectl replace`. */
import { provePatch } from '../admission/prove-patch.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import { describeSource, type Manifest } from '../cluster/manifest.ts'
import { InputError } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { hasPodTemplate, readPodTemplate } from '../kubernetes/pod-template.ts'
import { stringMember } from '../kubernetes/json.ts'
import { restoreProbes } from '../rules/probes/restore-probes.ts'
import { renderManifests } from './manifest-yaml.ts'

export interface Restored {
  readonly output: string
  /** How many objects carried a receipt. */
  readonly restored: number
}

/** Objects without a receipt are printed as they are. Throws InputError. */
export async function restore(files: readonly string[], format: 'yaml' | 'json'): Promise<Restored> {
  const manifests = await readManifests(files)
  const patched = manifests.map((manifest) => ({ manifest, operations: operationsFor(manifest) }))
  const restored = patched.filter(({ operations }) => operations.length > 0).length
  if (format === 'yaml') return { output: renderManifests(patched), restored }
  const items = patched.map(({ manifest, operations }) => resultOf(manifest, operations))
  return { output: `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`, restored }
}

function operationsFor({ object }: Manifest): readonly Operation[] {
  const kind = stringMember(object, 'kind') ?? ''
  if (!hasPodTemplate(kind)) return []
  const template = readPodTemplate(kind, object)
  return 'problem' in template ? [] : restoreProbes(template)
}

function resultOf({ object, source }: Manifest, operations: readonly Operation[]): JsonObject {
  const proof = provePatch(object, operations)
  if ('problem' in proof)
    throw new InputError('receipt-invalid', [`${describeSource(source)}: the receipt does not fit: ${proof.problem}`])
  return proof.result
}
