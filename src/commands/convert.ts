/** `istio-onramp convert`: converts Ingresses to objects of Istio or the Gateway API, with a report on every field. */
import { buildClusterState } from '../cluster/cluster-state.ts'
import type { GatewaySettings, Target } from '../conversion/model/conversion-options.ts'
import type { GatewayApiSettings } from '../conversion/model/gateway-api-settings.ts'
import { convertIngresses, type Conversion } from '../conversion/convert-ingresses.ts'
import { isAtLeast, type Level } from '../conversion/model/report.ts'
import { conversionLookups } from '../rules/ingress/conversion-lookups.ts'
import { readControllerSettings, readConvertInput, type ConvertSource } from './convert-input.ts'
import { folderText, writeFolder } from './convert-folder.ts'
import { renderObjects } from './convert-yaml.ts'
import { renderReport } from './convert-report.ts'
import { writeReport } from './convert-report-file.ts'

export interface ConvertOptions {
  readonly source: ConvertSource
  readonly target: Target
  readonly gatewayApi: GatewayApiSettings
  readonly format: 'yaml' | 'json'
  readonly gateway: GatewaySettings
  /** A file that also receives the report: HTML, Markdown, CSV or JSON, by its ending. */
  readonly reportFile: string | undefined
  readonly failOn: Level | 'never'
  /** Receives the objects instead of standard output; undefined for none. */
  readonly folder?: string | undefined
  /** Output and report go to one terminal: the report is not repeated in the output, and its lines are short. */
  readonly isTerminal: boolean
  /** Receives progress and problems, line by line. */
  readonly tell: (line: string) => void
}

export interface ConvertResult {
  readonly output: string
  /** For people; empty if the output itself contains the report. */
  readonly report: string
  /** The report has lines of the requested level or worse. */
  readonly hasFindings: boolean
}

const TERMINAL_WIDTH = 100

/** Throws InputError. */
export async function convert(options: ConvertOptions): Promise<ConvertResult> {
  const { target, gatewayApi, gateway, failOn, isTerminal } = options
  const { objects, places } = await readConvertInput(options.source, options.tell)
  const controllerSettings = await readControllerSettings(options.source.controllerConfig, objects)
  const conversion = convertIngresses(objects, {
    target,
    gatewayApi,
    gateway,
    ...(controllerSettings === undefined ? {} : { controllerSettings }),
    ...conversionLookups(buildClusterState(objects).state),
    gateways: () => objects,
  })
  const render = (width: number | undefined) =>
    renderReport({ ...conversion, places, width }) || `no Ingress among ${objects.length} objects\n`
  const text = render(undefined)
  if (options.reportFile !== undefined) await writeReport(options.reportFile, conversion, objects)
  const lines = [...conversion.report, ...conversion.notes]
  const hasFindings = failOn !== 'never' && lines.some(({ level }) => isAtLeast(level, failOn))
  if (options.folder !== undefined) {
    const result = await writeFolder(options.folder, conversion)
    const report = `${render(isTerminal ? TERMINAL_WIDTH : undefined)}\n${folderText(options.folder, result)}`
    return { output: '', report, hasFindings: hasFindings || result.kept.length > 0 }
  }
  if (options.format === 'json') return { output: toJson(conversion), report: '', hasFindings }
  const output = lines.length === 0 ? '' : renderObjects(conversion, isTerminal ? '' : text)
  return { output, report: isTerminal ? render(TERMINAL_WIDTH) : text, hasFindings }
}

function toJson({ objects, report, notes }: Conversion): string {
  return `${JSON.stringify({ objects, report, notes }, null, 2)}\n`
}
