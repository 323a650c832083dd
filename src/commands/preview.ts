/** `istio-onramp preview`: what admission would make of manifests, without sending them anywhere. */
import { readManifests } from '../cluster/manifest-files.ts'
import type { Manifest } from '../cluster/manifest.ts'
import type { RuleContext } from '../rules/rule.ts'
import { renderManifests } from './manifest-yaml.ts'
import { previewObject, type PreviewEntry } from './preview-entry.ts'
import { createPaint, renderEntry } from './preview-text.ts'

export type PreviewFormat = 'text' | 'json' | 'yaml'

export interface PreviewOptions {
  readonly files: readonly string[]
  readonly format: PreviewFormat
  readonly hasColor: boolean
  /** Where objects without `metadata.namespace` are. */
  readonly namespace: string
}

/** The text for standard output, and whether anything would be denied. Throws InputError. */
export async function preview(
  { files, format, hasColor, namespace }: PreviewOptions,
  context: RuleContext,
): Promise<{ readonly output: string; readonly isDenied: boolean }> {
  const manifests = await readManifests(files)
  const entries = manifests.map(({ object }) => previewObject(object, namespace, context))
  const isDenied = entries.some(({ verdict }) => verdict.kind === 'deny')
  return { output: render(format, manifests, entries, hasColor), isDenied }
}

function render(
  format: PreviewFormat,
  manifests: readonly Manifest[],
  entries: readonly PreviewEntry[],
  hasColor: boolean,
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(entries.map(toJson), null, 2)}\n`
    case 'yaml':
      return renderManifests(manifests.map((manifest, index) => toPatched(manifest, entries[index])))
    case 'text': {
      const paint = createPaint(hasColor)
      return `${entries.map((entry) => renderEntry(entry, paint)).join('\n\n')}\n`
    }
  }
}

/** One object of `-o json`, which scripts read: members are added, never renamed or removed. */
function toJson({ reference, verdict }: PreviewEntry): object {
  return {
    object: reference,
    allowed: verdict.kind !== 'deny',
    patch: verdict.kind === 'patch' ? verdict.operations : [],
    ...(verdict.kind === 'deny' ? { message: verdict.message } : {}),
    warnings: verdict.warnings,
    decisions: verdict.decisions.map(({ rule, container, slot, action, reason, strategy }) => ({
      rule,
      container,
      slot,
      action,
      reason,
      strategy,
    })),
  }
}

function toPatched(manifest: Manifest, entry: PreviewEntry | undefined) {
  const verdict = entry?.verdict
  if (verdict?.kind === 'deny') return { manifest, operations: [], denial: verdict.message }
  return { manifest, operations: verdict?.kind === 'patch' ? verdict.operations : [] }
}
