/**
 * `istio-onramp check`: whether a namespace can be switched to STRICT, and what would break. It never writes to a
 * cluster.
 */
import { writeFile } from 'node:fs/promises'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Configuration } from '../config.ts'
import { InputError, messageOf } from '../errors.ts'
import { readTraffic } from './check-callers.ts'
import { renderAs } from './check-format.ts'
import { readIgnoreFile } from './check-ignore.ts'
import { readCheckInput, readProposal } from './check-input.ts'
import type { CheckOptions } from './check-options.ts'
import { readBaseline, type CheckReport, type CheckResult } from './check-report.ts'
import { makeReport, type Exceptions } from './make-check-report.ts'
import { createPaint } from './preview-text.ts'

/** Throws InputError. Progress goes to `tell`. */
export async function check(
  options: CheckOptions,
  configuration: Configuration,
  tell: (line: string) => void,
): Promise<CheckResult> {
  const exceptions = await readExceptions(options, tell)
  const input = await readCheckInput(options.cluster, options, configuration, tell)
  const traffic = await readTraffic(options, input, tell)
  return await print(makeReport(input, options, configuration, { ...exceptions, traffic }, tell), options)
}

/**
 * The same, again whenever the answer changes, until `signal` is aborted. `show` gets each output. Returns the last
 * result. Throws InputError.
 */
export async function checkWatching(
  options: CheckOptions,
  configuration: Configuration,
  tell: (line: string) => void,
  show: (output: string) => void,
  signal: AbortSignal,
): Promise<CheckResult> {
  const exceptions = { ...(await readExceptions(options, tell)), traffic: undefined }
  const first = await check(options, configuration, tell)
  show(first.output)
  const report = async (state: ClusterState): Promise<CheckResult> => {
    const input = await readProposal(state, options)
    return await print(makeReport(input, options, configuration, exceptions, tell), options)
  }
  const { watchCheck } = await import('./check-watch.ts')
  return await watchCheck(first, { context: options.cluster.context, report, print: show, tell }, configuration, signal)
}

async function readExceptions({ baseline, ignore }: CheckOptions, tell: (line: string) => void): Promise<Exceptions> {
  return {
    baseline: baseline === undefined ? undefined : await readBaseline(baseline),
    ignores: ignore === undefined ? [] : await readIgnoreFile(ignore, tell),
  }
}

async function print(report: CheckReport, options: CheckOptions): Promise<CheckResult> {
  let output = ''
  for (const { format, file } of options.outputs) {
    const text = renderAs(format, report, createPaint(options.hasColor && file === undefined))
    if (file === undefined) output += text
    else await write(file, text)
  }
  return { output, hasFindings: fails(report, options) }
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new InputError('output-unwritable', [`${file}: ${messageOf(error)}`])
  })
}

/** The exit code does not depend on the formats. */
function fails({ findings, unknown }: CheckReport, { failOn, failOnNew }: CheckOptions): boolean {
  const counted = failOnNew ? findings.filter(({ isNew }) => isNew !== false) : findings
  const has = (severity: string) => counted.some((finding) => finding.severity === severity)
  switch (failOn) {
    case 'never':
      return false
    case 'error':
      return has('error')
    case 'warn':
      return has('error') || has('warn')
    case 'unknown':
      return has('error') || has('warn') || unknown.length > 0
  }
}
