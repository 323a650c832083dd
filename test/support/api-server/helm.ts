/** The chart as the real helm renders and installs it. Without helm nothing here passes: no silent skip. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { isObject, memberAt, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

export const CHART = join(import.meta.dirname, '../../../charts/istio-onramp')
export const KUBERNETES = '1.37.2'
export const NAMESPACE = 'onramp'
/** What the release `onramp` calls its objects. */
export const NAME = 'onramp-istio-onramp'
/** And its webhook configurations where certificates.mode is existingSecret. */
export const CONFIGURATION = 'istio-onramp-existing-secret'

const MISSING = 'helm is not here: set HELM=$(hack/cluster/build helm)/helm, or run hack/chart/test, which does'

export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `ci/NAME-values.yaml` of the chart: one file for each way to install it. */
export const CI_VALUES: readonly string[] = readdirSync(join(CHART, 'ci')).map((file) => join(CHART, 'ci', file))

/** Runs helm; throws where there is none, and never otherwise. */
export function helm(args: readonly string[], input = ''): Run {
  const { status, stdout, stderr } = spawnSync(findHelm(), args, { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function findHelm(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [process.env['HELM'] ?? '', ...folders.map((folder) => join(folder, 'helm'))]
  const found = candidates.find((file) => file !== '' && existsSync(file))
  if (found === undefined) throw new Error(MISSING)
  return found
}

export interface Rendering {
  readonly values?: JsonObject
  readonly files?: readonly string[]
  readonly kubernetes?: string
  /** With what `helm test` makes. */
  readonly hooks?: boolean
}

/** The objects of the release `onramp` in namespace `onramp`; throws what helm prints when it refuses. */
export function render(rendering: Rendering = {}): readonly JsonObject[] {
  const { status, stdout, stderr } = template(rendering)
  if (status !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Json)
    .filter(isObject)
}

/** What helm prints when it refuses the values; undefined when it takes them. */
export function refusal(values: JsonObject): string | undefined {
  const { status, stderr } = template({ values })
  return status === 0 ? undefined : stderr
}

function template({ values = {}, files = [], kubernetes = KUBERNETES, hooks = false }: Rendering): Run {
  const from = [...files, '-'].flatMap((file) => ['--values', file])
  const more = ['--kube-version', kubernetes, ...(hooks ? [] : ['--no-hooks']), ...from]
  return helm(['template', 'onramp', CHART, '--namespace', NAMESPACE, ...more], JSON.stringify(values))
}

export function ofKind(objects: readonly JsonObject[], kind: string): readonly JsonObject[] {
  return objects.filter((object) => object['kind'] === kind)
}

/** The one object of a kind; throws when there is none or more than one. */
export function only(objects: readonly JsonObject[], kind: string): JsonObject {
  const [first, second] = ofKind(objects, kind)
  if (first === undefined || second !== undefined) throw new Error(`not one ${kind}`)
  return first
}

export function nameOf(object: JsonObject): string {
  return String(memberAt(object, 'metadata', 'name'))
}
