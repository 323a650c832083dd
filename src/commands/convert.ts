/** `istio-onramp convert`: converts Ingresses to objects of Istio or the Gateway API, with a report on every field. */
import { writeFile } from 'node:fs/promises'
import { buildClusterState } from '../cluster/cluster-state.ts'
import type { Manifest } from '../cluster/manifest.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import type { GatewaySettings, Target } from '../conversion/model/conversion-options.ts'
import { convertIngresses, type Conversion } from '../conversion/convert-ingresses.ts'
import { isIngress } from '../conversion/ingress/ingress.ts'
import { isAtLeast, type Level } from '../conversion/model/report.ts'
import { InputError, messageOf } from '../errors.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { conversionLookups } from '../rules/ingress/conversion-lookups.ts'
import { renderObjects } from './convert-yaml.ts'
import { renderReport } from './convert-report.ts'

export interface ConvertOptions {
  readonly files: readonly string[]
  readonly target: Target
  readonly format: 'yaml' | 'json'
  readonly gateway: GatewaySettings
  /** A file for the report: JSON if its name ends in `.json`, otherwise text. */
  readonly reportFile: string | undefined
  readonly failOn: Level | 'never'
}

export interface ConvertResult {
  readonly output: string
  /** For people; empty if the output itself contains the report. */
  readonly report: string
  /** Whether the report has a line of the requested level. */
  readonly hasFindings: boolean
}

/** Throws InputError. */
export async function convert(options: ConvertOptions): Promise<ConvertResult> {
  const manifests = await readManifests(options.files)
  const objects = manifests.map(({ object }) => object)
  const { target, gateway, failOn } = options
  const conversion = convertIngresses(objects, {
    target,
    gateway,
    ...conversionLookups(buildClusterState(objects).state),
  })
  const report =
    renderReport(conversion.report, placesOf(manifests)) || `no Ingress among ${manifests.length} objects\n`
  await writeReport(options.reportFile, conversion, report)
  const hasFindings = failOn !== 'never' && conversion.report.some(({ level }) => isAtLeast(level, failOn))
  if (options.format === 'json') return { output: toJson(conversion), report: '', hasFindings }
  return { output: conversion.report.length === 0 ? '' : renderObjects(conversion, report), report, hasFindings }
}

/** Returns the file and line of each Ingress, by `namespace/name`. */
function placesOf(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  return new Map(
    manifests
      .filter(({ object }) => isIngress(object))
      .map(({ object, source }) => {
        const { namespace, name } = referenceTo(object)
        return [`${namespace}/${name}`, `${source.file === '-' ? 'standard input' : source.file}:${source.line}`]
      }),
  )
}

async function writeReport(file: string | undefined, { report }: Conversion, text: string): Promise<void> {
  if (file === undefined) return
  const content = file.endsWith('.json') ? `${JSON.stringify(report, null, 2)}\n` : text
  try {
    await writeFile(file, content)
  } catch (error) {
    throw new InputError('output-unwritable', [`--report ${file}: ${messageOf(error)}`])
  }
}

function toJson({ objects, report }: Conversion): string {
  return `${JSON.stringify({ objects, report }, null, 2)}\n`
}
