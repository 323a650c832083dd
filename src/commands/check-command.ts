/** The flags of `istio-onramp check`. check.ts implements the command. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { CheckOptions, CheckOutput } from './check-options.ts'
import { CHECK_FORMATS, isCheckFormat } from './check-format-names.ts'
import type { ClusterFlags } from './load-cluster.ts'
import type { Run } from './run.ts'
import { collect, configurationOf, contextOption, fromOption, hasColor, PATHS, tellTo } from './shared-options.ts'

interface CheckFlags extends ClusterFlags {
  readonly namespace?: string[]
  readonly config?: string
  readonly assumeStrict?: string[]
  readonly change?: string[]
  readonly remove?: string[]
  readonly accessLog?: string[]
  readonly prometheus?: string
  readonly since?: number
  readonly output?: CheckOutput[]
  readonly failOn: CheckOptions['failOn']
  readonly baseline?: string
  readonly failOnNew?: boolean
  readonly ignore?: string
  readonly explain?: string
  readonly watch?: boolean
}

export function addCheck(program: Command, run: Run): void {
  program
    .command('check')
    .description('Report whether namespaces may be switched to STRICT, and what would break.')
    .addOption(fromOption())
    .addOption(contextOption())
    .option('-n, --namespace <name>', 'report on this namespace only; repeatable', collect)
    .option('--config <file>', 'configuration file (YAML)')
    .option(
      '--assume-strict <namespace>',
      "report what breaks if this namespace turns STRICT; '*' for the whole mesh; repeatable",
      collect,
    )
    .option('--change <path>', `report what breaks if these objects are applied: ${PATHS}`, collect)
    .option('--remove <kind/namespace/name>', 'report what breaks if this object is deleted; repeatable', collect)
    .option('--access-log <path>', `name the plain-text callers in sidecars' access logs: ${LOG_PATHS}`, collect)
    .option('--prometheus <url>', 'count plain-text traffic with the metrics of this Prometheus')
    .addOption(
      new Option(
        '--since <duration>',
        'how far back metrics (default: 24h) and live logs (default: all) are read, such as 90m or 7d',
      ).argParser(readSince),
    )
    .addOption(
      new Option(
        '-o, --output <format[=file]>',
        `the report as ${CHECK_FORMATS.join(', ')}, to standard output or to a file; repeatable (default: text)`,
      ).argParser(checkOutput),
    )
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 if the report has a finding of this level or worse')
        .choices(['error', 'warn', 'unknown', 'never'])
        .default('error'),
    )
    .option('--baseline <file>', 'earlier output of -o json; findings that it lacks are marked as new')
    .option('--fail-on-new', 'exit with 1 only for new findings')
    .option('--ignore <file>', 'file of findings to ignore, one per line: CODE[@SLOT]=REASON[; until=DATE]')
    .option('--watch', 'keep watching a live cluster, and report again when the answer changes')
    .option('--explain <code>', 'explain this finding code and exit')
    .action(async (flags: CheckFlags, command: Command) => {
      if (flags.explain !== undefined) {
        await explainCode(flags.explain, command, run)
        return
      }
      if (flags.failOnNew === true && flags.baseline === undefined)
        command.error('error: --fail-on-new needs --baseline FILE')
      if (flags.watch === true && flags.from !== undefined)
        command.error('error: --watch needs a live cluster; it cannot be used with --from')
      refuseContradictions(flags, command)
      await runCheck(flags, run)
    })
}

/** The possible values of --access-log, for its help. */
const LOG_PATHS =
  'file, folder (read recursively), gzip, - for standard input, or live for the logs of a live cluster; repeatable'

function refuseContradictions(
  { from, prometheus, change = [], accessLog = [], watch }: CheckFlags,
  command: Command,
): void {
  if ((accessLog.length > 0 || prometheus !== undefined) && watch === true)
    command.error('error: --access-log and --prometheus cannot be used with --watch: they are read once')
  if (accessLog.includes('live') && from !== undefined)
    command.error('error: --access-log live needs a live cluster; it cannot be used with --from')
  if (accessLog.includes('-') && [...(from ?? []), ...change].includes('-'))
    command.error('error: --access-log - and --from - or --change - cannot read the same standard input')
}

async function explainCode(code: string, command: Command, { stdout }: Run): Promise<void> {
  const { explain } = await import('./check-explain.ts')
  const page = explain(code)
  if (page === undefined) {
    const { FINDING_CODES } = await import('../readiness/finding-codes.ts')
    command.error(`error: ${JSON.stringify(code)} is not a finding code; codes are ${FINDING_CODES.join(', ')}`)
  }
  stdout.write(page)
}

async function runCheck(flags: CheckFlags, run: Run): Promise<void> {
  const { check, checkWatching } = await import('./check.ts')
  const options: CheckOptions = {
    cluster: flags,
    namespaces: flags.namespace ?? [],
    assumeStrict: flags.assumeStrict ?? [],
    change: flags.change ?? [],
    remove: flags.remove ?? [],
    accessLog: flags.accessLog ?? [],
    prometheus: flags.prometheus,
    since: flags.since,
    outputs: flags.output ?? [{ format: 'text', file: undefined }],
    failOn: flags.failOn,
    baseline: flags.baseline,
    failOnNew: flags.failOnNew === true,
    ignore: flags.ignore,
    hasColor: hasColor(run),
    today: new Date().toISOString().slice(0, 10),
  }
  const configuration = await configurationOf(flags.config)
  if (flags.watch !== true) {
    const result = await check(options, configuration, tellTo(run))
    run.stdout.write(result.output)
    if (result.hasFindings) run.exitCode = 1
    return
  }
  const show = showTo(run)
  const result = await checkWatching(options, configuration, tellTo(run), show, untilInterrupted())
  if (result.hasFindings) run.exitCode = 1
}

/** On a terminal a report replaces the one before. */
function showTo({ stdout }: Run): (output: string) => void {
  return (output) => void stdout.write(stdout.isTTY === true ? `\u001b[H\u001b[2J${output}` : output)
}

/** Ctrl-C ends the watch, not the process: the exit code is that of the last report. A second one ends the process. */
function untilInterrupted(): AbortSignal {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
  return interruption.signal
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
])

/** Reads `24h`, as Prometheus writes durations, in seconds. */
function readSince(value: string): number {
  const parts = [...value.matchAll(/(\d{1,9})([smhdw])/g)]
  const seconds = parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNITS.get(unit) ?? 0), 0)
  if (parts.map(([text]) => text).join('') !== value || seconds === 0)
    throw new InvalidArgumentError('A duration such as 90m, 24h or 7d is expected.')
  return seconds
}

/** Reads `json` or `json=report.json`. */
function checkOutput(value: string, previous: CheckOutput[] | undefined): CheckOutput[] {
  const equals = value.indexOf('=')
  const name = equals === -1 ? value : value.slice(0, equals)
  const file = equals === -1 ? undefined : value.slice(equals + 1)
  if (!isCheckFormat(name) || file === '')
    throw new InvalidArgumentError(`FORMAT or FORMAT=FILE is expected; formats are ${CHECK_FORMATS.join(', ')}.`)
  return [...(previous ?? []), { format: name, file }]
}
