/** `istio-onramp preview`: shows the effect of admission on manifests, without sending them anywhere. */
import type { ClusterState } from '../cluster/cluster-state.ts'
import { readDocuments } from '../cluster/manifest.ts'
import { type Manifest } from '../cluster/manifest-source.ts'
import { readFiles, type LastText } from '../cluster/manifest-files.ts'
import { layOver } from '../cluster/lay-over.ts'
import { RESOURCES, resourceOf } from '../cluster/resources.ts'
import { counted } from '../kubernetes/counted.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { describe, metadataOf, referenceTo } from '../kubernetes/object.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import type { RuleContext } from '../rules/rule.ts'
import { documentsOf, printManifests, type Output } from './manifest-stream.ts'
import type { PatchedManifest } from './manifest-yaml.ts'
import { previewObject, type PreviewEntry } from './preview-entry.ts'
import { NO_OBJECTS, previewReport } from './preview-report.ts'

export type PreviewFormat = 'text' | 'json' | 'yaml'

export interface PreviewOptions {
  readonly files: readonly string[]
  readonly format: PreviewFormat
  readonly hasColor: boolean
  /** The namespace of objects without `metadata.namespace`. */
  readonly namespace: string
  /** Whether the text includes untouched objects. */
  readonly all: boolean
  readonly configuration: RuleConfiguration
}

export interface PreviewResult {
  readonly isDenied: boolean
  /** One line for each document that could not be used; the others were printed. */
  readonly problems: readonly string[]
}

/** Milliseconds between two lines of progress. */
const PATIENCE = 1000

/** Decides objects one at a time, so that the input may be large. */
export async function preview(options: PreviewOptions, cluster: ClusterState, output: Output): Promise<PreviewResult> {
  const problems: string[] = []
  const last: LastText = { streams: new Map() }
  const mesh = await withBundle(cluster, options, output, last)
  const context: RuleContext = { mesh, configuration: options.configuration }
  let count = 0
  let nextProgress = performance.now() + PATIENCE
  const decide = ({ object, source }: Manifest) => {
    count++
    if (performance.now() > nextProgress) {
      output.tell(`${counted(count, 'object')} so far, now in ${source.file}`)
      nextProgress = performance.now() + PATIENCE
    }
    return previewObject(object, options.namespace, context, options.format === 'text')
  }
  const isDenied = await PRINTERS[options.format]({ options, decide, problems, output, last })
  if (count === 0 && problems.length === 0 && options.format !== 'text') output.tell(NO_OBJECTS)
  return { isDenied, problems }
}

/** What each format prints from. `decide` is called once for each object, in input order. */
interface Printing {
  readonly options: PreviewOptions
  readonly decide: (manifest: Manifest) => PreviewEntry
  readonly problems: string[]
  readonly output: Output
  readonly last: LastText
}

/** Each returns whether something would be denied. */
const PRINTERS: Readonly<Record<PreviewFormat, (printing: Printing) => Promise<boolean>>> = {
  json: printJson,
  yaml: printYaml,
  text: printText,
}

/** Namespaces, policies and other objects that decisions depend on: `kubectl apply` would have created them first. */
const CLUSTER_KINDS = RESOURCES.filter(({ isForAdmission }) => isForAdmission)
const KIND = CLUSTER_KINDS.map(({ kind }) => kind).join('|')
/** Matches `kind: Namespace` in any notation. An alias, a tag or a complex key may hide any kind. */
const MENTIONS_CLUSTER_KIND = new RegExp(`kind["']?\\s*:\\s*(?:["']?(?:${KIND})\\b|[*&!])|^[ \\t]*\\?\\s`, 'm')

async function withBundle(
  cluster: ClusterState,
  options: PreviewOptions,
  { tell }: Output,
  last: LastText,
): Promise<ClusterState> {
  const objects: JsonObject[] = []
  for await (const file of readFiles(options.files, [], false, last))
    for (const { manifests } of readDocuments(file, (text) => MENTIONS_CLUSTER_KIND.test(text)))
      for (const { object } of manifests) if (isOfCluster(object)) objects.push(placed(object, options.namespace))
  if (objects.length === 0) return cluster
  const { state, problems } = layOver(cluster, objects)
  for (const { object, field, problem } of problems)
    tell(`warning: ${describe(referenceTo(object, options.namespace))}: ${field}: ${problem}; it does not count`)
  return state
}

/** Only Istio's ConfigMaps affect decisions. Others may be large and numerous. */
function isOfCluster(object: JsonObject): boolean {
  const resource = resourceOf(object)
  return resource?.isForAdmission === true && resource.read(object) !== undefined
}

/** Adds the namespace in which the object is created if it has none. */
function placed(object: JsonObject, namespace: string): JsonObject {
  const metadata = metadataOf(object)
  if (resourceOf(object)?.scope === 'Cluster' || metadata['namespace'] !== undefined) return object
  return { ...object, metadata: { ...metadata, namespace } }
}

async function printJson({ options, decide, problems, output, last }: Printing): Promise<boolean> {
  let isDenied = false
  let separator = '[\n'
  for await (const { documents } of documentsOf(options.files, problems, output.tell, last))
    for (const { manifests } of documents)
      for (const manifest of manifests) {
        const entry = decide(manifest)
        isDenied ||= entry.verdict.kind === 'deny'
        await output.write(separator + indented(JSON.stringify(toJson(entry), null, 2)))
        separator = ',\n'
      }
  await output.write(separator === '[\n' ? '[]\n' : '\n]\n')
  return isDenied
}

function indented(text: string): string {
  return `  ${text.replaceAll('\n', '\n  ')}`
}

/** Returns one element of the array that the README describes. */
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

async function printYaml({ options, decide, problems, output, last }: Printing): Promise<boolean> {
  let isDenied = false
  const patch = (manifest: Manifest): PatchedManifest => {
    const { verdict, after } = decide(manifest)
    isDenied ||= verdict.kind === 'deny'
    if (verdict.kind === 'deny') return { manifest, operations: [], after, denial: verdict.message }
    return { manifest, operations: verdict.kind === 'patch' ? verdict.operations : [], after }
  }
  await printManifests(options.files, patch, problems, output, last)
  return isDenied
}

async function printText({ options, decide, problems, output, last }: Printing): Promise<boolean> {
  const report = previewReport({ all: options.all, hasColor: options.hasColor })
  for await (const { documents } of documentsOf(options.files, problems, output.tell, last))
    for (const { manifests } of documents)
      for (const manifest of manifests) report.add(decide(manifest), manifest.source)
  if (report.count() > 0 || problems.length === 0) await output.write(report.text())
  return report.isDenied()
}
