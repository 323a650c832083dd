/** Reads the arguments and hands them to a command. Writes to the streams that it is given, and never ends the process. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ExitCode, Run, Streams } from './commands/run.ts'
import type { ClusterFlags } from './commands/load-cluster.ts'
import type { ClusterOption } from './commands/open-cluster.ts'
import { addCheck } from './commands/check-command.ts'
import { parseListenAddress, type ListenAddress } from './commands/listen-address.ts'
import type { TlsSource } from './commands/serve.ts'
import { DEFAULT_CONFIGURATION, readConfiguration, type Configuration } from './config.ts'
import { InputError, messageOf, withErrorCode } from './errors.ts'
import { packageVersion } from './version.ts'

const PATHS = 'a file, a folder (read recursively) or - for standard input'

/**
 * Runs `istio-onramp ARGUMENTS`. The exit code is 0 for done, 1 for findings and 2 for bad usage or input that cannot be
 * read. `serve` returns once it listens.
 */
export async function runCommandLine(argv: readonly string[], { stdout, stderr }: Streams): Promise<ExitCode> {
  const run: Run = { stdout, stderr, exitCode: 0 }
  try {
    await createProgram(run).parseAsync(argv, { from: 'user' })
    return run.exitCode
  } catch (error) {
    return exitCodeOf(error, run)
  }
}

/** The program for its help texts (docs/reference/command-line.md). */
export function buildProgram({ stdout, stderr }: Streams): Command {
  return createProgram({ stdout, stderr, exitCode: 0 })
}

function createProgram(run: Run): Command {
  const program = new Command('istio-onramp')
    .description('Brings ordinary Kubernetes workloads onto Istio and through STRICT mutual TLS.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => run.stdout.write(text), writeErr: (text) => run.stderr.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(istio-onramp --help, or istio-onramp COMMAND --help, lists what is allowed)')
  addServe(program)
  addPreview(program, run)
  addRestore(program, run)
  addConvert(program, run)
  addCheck(program, {
    run,
    fromOption,
    contextOption,
    configurationOf,
    hasColor: () => hasColor(run),
    paths: PATHS,
    collect,
  })
  return program
}

interface ServeFlags extends ClusterFlags {
  readonly config?: string
  readonly listen: ListenAddress
  readonly metrics: ListenAddress
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsSelfSigned?: boolean
  readonly tlsCaOut?: string
  readonly clientCa?: string
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('run the admission webhook')
    .option('--config <file>', 'configuration, YAML')
    .addOption(fromOption())
    .addOption(contextOption())
    .addOption(
      new Option('--listen <host:port>', 'where the API server reaches the webhook')
        .default({ host: '::', port: 8443 }, ':8443')
        .argParser(listenAddress),
    )
    .addOption(
      new Option('--metrics <host:port>', 'where /metrics is served, in plain text')
        .default({ host: '::', port: 9090 }, ':9090')
        .argParser(listenAddress),
    )
    .option('--tls-cert <file>', 'serving certificate, PEM; re-read when it changes')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-self-signed', 'make a certificate for this run')
    .option('--client-ca <file>', 'take reviews only from clients with a certificate of this authority, PEM')
    .option('--tls-ca-out <file>', 'where to write the authority of --tls-self-signed, PEM')
    .action(async (flags: ServeFlags, command: Command) => {
      const tls = tlsSource(flags, command)
      const configuration = await configurationOf(flags.config)
      const cluster = await clusterOption(flags)
      const { serve } = await import('./commands/serve.ts')
      const { listen, metrics, clientCa } = flags
      await serve({ configuration, cluster, listen, metrics, tls, clientCaFile: clientCa })
    })
}

function tlsSource({ tlsCert, tlsKey, tlsSelfSigned, tlsCaOut }: ServeFlags, command: Command): TlsSource {
  const isPair = tlsCert !== undefined && tlsKey !== undefined
  if (isPair && tlsSelfSigned !== true && tlsCaOut === undefined)
    return { kind: 'files', files: { cert: tlsCert, key: tlsKey } }
  if (tlsSelfSigned === true && tlsCert === undefined && tlsKey === undefined)
    return { kind: 'self-signed', caOut: tlsCaOut }
  return command.error('error: give --tls-cert FILE with --tls-key FILE, or --tls-self-signed [--tls-ca-out FILE]')
}

async function clusterOption({ from, context }: ClusterFlags): Promise<ClusterOption> {
  if (from === undefined) {
    const { connectToCluster } = await import('./cluster/live/cluster-api.ts')
    return { kind: 'live', api: await connectToCluster(context) }
  }
  const { clusterFromFiles } = await import('./cluster/cluster-from-files.ts')
  return { kind: 'manifests', state: await clusterFromFiles(from) }
}

interface PreviewFlags extends ClusterFlags {
  readonly filename: string[]
  readonly config?: string
  readonly namespace?: string
  readonly output: 'text' | 'json' | 'yaml'
  readonly all?: boolean
}

function addPreview(program: Command, run: Run): void {
  program
    .command('preview')
    .description('show what admission would make of manifests')
    .requiredOption('-f, --filename <path>', `the manifests: ${PATHS}; may be repeated`, collect)
    .addOption(fromOption())
    .addOption(contextOption())
    .option('--config <file>', 'configuration, YAML: that of the webhook whose answers are to be shown')
    .option('-n, --namespace <name>', 'where objects without a namespace are; else the context says it, else default')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json', 'yaml']).default('text'))
    .option('--all', 'also show the objects that stay unchanged')
    .action(async ({ filename, config, namespace, output, all, ...flags }: PreviewFlags) => {
      const { loadCluster } = await import('./commands/load-cluster.ts')
      const { preview } = await import('./commands/preview.ts')
      const configuration = await configurationOf(config)
      const cluster = await loadCluster(flags, configuration, tellTo(run))
      const options = {
        files: filename,
        format: output,
        hasColor: hasColor(run),
        namespace: namespace ?? cluster.namespace,
        all: all === true,
        configuration: configuration.rules,
      }
      const { isDenied, problems } = await preview(options, cluster.state, { write: writeTo(run), tell: tellTo(run) })
      if (isDenied) run.exitCode = 1
      reportProblems(problems)
    })
}

/** Waits while the reader is behind, so that a large output never piles up in memory. */
function writeTo({ stdout }: Run): (text: string) => Promise<void> {
  return async (text) => {
    if (text === '' || stdout.write(text) !== false) return
    await new Promise((resolve) => stdout.once?.('drain', () => resolve(undefined)) ?? resolve(undefined))
  }
}

function tellTo({ stderr }: Run): (line: string) => void {
  return (line) => void stderr.write(`${line}\n`)
}

/** The problems come last, after the output of everything that could be read. */
function reportProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
}

interface ConvertFlags {
  readonly filename: string[]
  readonly to: 'istio' | 'gateway-api'
  readonly output: 'yaml' | 'json'
  readonly report?: string
  readonly failOn: 'error' | 'warn' | 'never'
  readonly gateway?: string
  readonly config?: string
}

function addConvert(program: Command, run: Run): void {
  program
    .command('convert')
    .description('turn Ingresses into Gateways and VirtualServices, or into Gateway API objects')
    .requiredOption(
      '-f, --filename <path>',
      `Ingresses, and the Services of named ports: ${PATHS}; may be repeated`,
      collect,
    )
    .addOption(new Option('--to <api>', 'which API').choices(['istio', 'gateway-api']).default('istio'))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .option('--report <file>', 'write the report to a file, too: JSON for a name in .json, else text')
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 where the report reaches it')
        .choices(['error', 'warn', 'never'])
        .default('error'),
    )
    .addOption(
      new Option('--gateway <namespace/name>', 'a Gateway that is there already; else one is printed').argParser(
        parseGateway,
      ),
    )
    .option('--config <file>', 'configuration, YAML: rules.gateway says what to print for')
    .action(async ({ filename, to, output, report, failOn, gateway, config }: ConvertFlags) => {
      const { rules } = await configurationOf(config)
      const { convert } = await import('./commands/convert.ts')
      const result = await convert({
        files: filename,
        target: to,
        format: output,
        gateway: gateway === undefined ? rules.gateway : { ...rules.gateway, shared: gateway },
        reportFile: report,
        failOn,
      })
      run.stderr.write(result.report)
      run.stdout.write(result.output)
      if (result.hasFindings) run.exitCode = 1
    })
}

function parseGateway(value: string): string {
  if (/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value)) return value
  throw new InvalidArgumentError('NAMESPACE/NAME is expected.')
}

function addRestore(program: Command, run: Run): void {
  program
    .command('restore')
    .description('put probes back where the receipts of a rewrite say they were')
    .requiredOption('-f, --filename <path>', `the manifests: ${PATHS}; may be repeated`, collect)
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .action(async ({ filename, output }: { readonly filename: string[]; readonly output: 'yaml' | 'json' }) => {
      const { restore } = await import('./commands/restore.ts')
      const { restored, problems } = await restore(filename, output, { write: writeTo(run), tell: tellTo(run) })
      tellTo(run)(`${restored} of the objects carried a receipt and were restored`)
      reportProblems(problems)
    })
}

function fromOption(): Option {
  return new Option(
    '--from <path>',
    `the cluster as manifests: ${PATHS}; may be repeated; else the kubeconfig's, or the pod's own`,
  ).argParser(collect)
}

function contextOption(): Option {
  return new Option('--context <name>', 'the context of the kubeconfig to use').conflicts('from')
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

function listenAddress(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address === undefined)
    throw new InvalidArgumentError('HOST:PORT is expected, for example 127.0.0.1:8443 or :8443.')
  return address
}

async function configurationOf(file: string | undefined): Promise<Configuration> {
  return file === undefined ? DEFAULT_CONFIGURATION : await readConfiguration(file)
}

/** Colours on a terminal only, and not where NO_COLOR asks for none (https://no-color.org). */
function hasColor({ stdout }: Streams): boolean {
  return stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
}

/** commander prints its own message first; what is left is the exit code. */
function exitCodeOf(error: unknown, run: Streams): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof InputError)
    run.stderr.write(error.problems.map((problem) => `error: ${withErrorCode(problem, error.code)}\n`).join(''))
  else run.stderr.write(`error: ${messageOf(error)}\n`)
  return 2
}
