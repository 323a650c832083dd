/** The flags of `istio-onramp check`. What the command does is in check.ts. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Configuration } from '../config.ts'
import type { CheckOptions, CheckOutput } from './check.ts'
import type { ClusterFlags } from './load-cluster.ts'
import type { Run } from './run.ts'

/** What the flags of all commands share. */
export interface SharedOptions {
  readonly run: Run
  readonly fromOption: () => Option
  readonly contextOption: () => Option
  readonly collect: (value: string, previous: string[] | undefined) => string[]
  readonly configurationOf: (file: string | undefined) => Promise<Configuration>
  readonly hasColor: () => boolean
  /** What a path may be, for the help. */
  readonly paths: string
}

interface CheckFlags extends ClusterFlags {
  readonly namespace?: string[]
  readonly config?: string
  readonly assumeStrict?: string[]
  readonly change?: string[]
  readonly remove?: string[]
  readonly output?: CheckOutput[]
  readonly failOn: CheckOptions['failOn']
  readonly baseline?: string
  readonly failOnNew?: boolean
  readonly ignore?: string
  readonly explain?: string
}

export function addCheck(program: Command, shared: SharedOptions): void {
  const { fromOption, contextOption, collect } = shared
  program
    .command('check')
    .description('may this namespace be switched to STRICT, and what breaks?')
    .addOption(fromOption())
    .addOption(contextOption())
    .option('-n, --namespace <name>', 'report on this namespace only; may be repeated', collect)
    .option('--config <file>', 'configuration, YAML')
    .option(
      '--assume-strict <namespace>',
      "list what breaks once it is STRICT; '*' is the mesh; may be repeated",
      collect,
    )
    .option('--change <path>', `lay objects over the cluster and list what they break: ${shared.paths}`, collect)
    .option('--remove <kind/namespace/name>', 'take an object away and list what that breaks; may be repeated', collect)
    .addOption(
      new Option(
        '-o, --output <format[=file]>',
        'text or json, to a file where one is named; may be repeated',
      ).argParser(checkOutput),
    )
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 where the report reaches it')
        .choices(['error', 'warn', 'unknown', 'never'])
        .default('error'),
    )
    .option('--baseline <file>', 'an earlier -o json; what is not in it is marked as new')
    .option('--fail-on-new', 'exit with 1 only for findings that are not in the baseline')
    .option('--ignore <file>', 'findings to leave out: CODE[@SLOT]=REASON[; until=DATE], one a line')
    .option('--explain <code>', 'print the page of a finding code, and nothing else')
    .action(async (flags: CheckFlags, command: Command) => {
      if (flags.explain !== undefined) {
        await explainCode(flags.explain, command, shared.run)
        return
      }
      if (flags.failOnNew === true && flags.baseline === undefined)
        command.error('error: --fail-on-new needs --baseline FILE')
      await runCheck(flags, shared)
    })
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

async function runCheck(flags: CheckFlags, { configurationOf, hasColor, run }: SharedOptions): Promise<void> {
  const { check } = await import('./check.ts')
  const options: CheckOptions = {
    cluster: flags,
    namespaces: flags.namespace ?? [],
    assumeStrict: flags.assumeStrict ?? [],
    change: flags.change ?? [],
    remove: flags.remove ?? [],
    outputs: flags.output ?? [{ format: 'text', file: undefined }],
    failOn: flags.failOn,
    baseline: flags.baseline,
    failOnNew: flags.failOnNew === true,
    ignore: flags.ignore,
    hasColor: hasColor(),
    today: new Date().toISOString().slice(0, 10),
  }
  const tell = (line: string) => run.stderr.write(`${line}\n`)
  const result = await check(options, await configurationOf(flags.config), tell)
  run.stdout.write(result.output)
  if (result.hasFindings) run.exitCode = 1
}

/** `json`, or `json=report.json`. */
function checkOutput(value: string, previous: CheckOutput[] | undefined): CheckOutput[] {
  const equals = value.indexOf('=')
  const name = equals === -1 ? value : value.slice(0, equals)
  const file = equals === -1 ? undefined : value.slice(equals + 1)
  if ((name !== 'text' && name !== 'json') || file === '')
    throw new InvalidArgumentError('text, json, text=FILE or json=FILE is expected.')
  return [...(previous ?? []), { format: name, file }]
}
