/** The flags of `istio-onramp convert`. convert.ts implements the command. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { DEFAULT_GATEWAY_API } from '../conversion/model/gateway-api-settings.ts'
import type { Run } from './run.ts'
import { collect, configurationOf, PATHS, tellTo } from './shared-options.ts'

interface ConvertFlags {
  readonly filename?: string[]
  readonly context?: string
  readonly namespace: string[]
  readonly controllerConfig?: string
  readonly to: 'istio' | 'gateway-api'
  readonly gatewayApiVersion: number
  readonly istioCrds: boolean
  readonly experimental?: true
  readonly output: 'yaml' | 'json'
  readonly report?: string
  readonly outputFolder?: string
  readonly failOn: 'error' | 'warn' | 'never'
  readonly gateway?: string
  readonly config?: string
}

export function addConvert(program: Command, run: Run): void {
  const command = program
    .command('convert')
    .description('Convert Ingresses to Gateways and VirtualServices, or to Gateway API objects.')
  addInputOptions(command)
  addTargetOptions(command)
  addOutputOptions(command)
  command.action(async (flags: ConvertFlags) => convertWith(flags, run))
}

function addInputOptions(command: Command): void {
  command
    .option(
      '-f, --filename <path>',
      `Ingresses, with the Services and IngressClasses they use: ${PATHS}; without it, the cluster of the kubeconfig is read`,
      collect,
    )
    .addOption(new Option('--context <name>', 'kubeconfig context to use').conflicts('filename'))
    .option('-n, --namespace <name>', 'convert the Ingresses of this namespace only; repeatable', collect, [])
    .option(
      '--controller-config <path>',
      "ingress-nginx' own settings: its ConfigMap, or its Deployment with the ConfigMap; found by itself if it is in the input",
    )
    .addOption(
      new Option('--gateway <namespace/name>', 'use this existing Gateway instead of generating one').argParser(
        parseGateway,
      ),
    )
    .option('--config <file>', 'configuration file (YAML); rules.gateway describes the gateway')
}

function addTargetOptions(command: Command): void {
  command
    .addOption(new Option('--to <api>', 'API of the output').choices(['istio', 'gateway-api']).default('istio'))
    .addOption(
      new Option(
        '--gateway-api-version <version>',
        'version of the Gateway API in the cluster; before 1.5 it has no ListenerSets and no CORS filter',
      )
        .argParser(parseVersion)
        .default(DEFAULT_GATEWAY_API.version, '1.6'),
    )
    .option(
      '--no-istio-crds',
      "with --to gateway-api: print nothing of Istio's own APIs, for installations without them, such as AKS application routing (rules.gateway.className: approuting-istio)",
    )
    .option('--experimental', "with --to gateway-api: also print what only Gateway API's experimental channel has")
}

function addOutputOptions(command: Command): void {
  command
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .option(
      '--output-folder <folder>',
      'write the objects there: a folder for each namespace and one for the platform team; edited files are kept',
    )
    .addOption(
      new Option('--report <file>', `also write the report to this file, by its ending: ${ENDINGS}`).argParser(
        parseReport,
      ),
    )
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 if the report has a line of this level or worse')
        .choices(['error', 'warn', 'never'])
        .default('error'),
    )
}

async function convertWith(flags: ConvertFlags, run: Run): Promise<void> {
  const { rules } = await configurationOf(flags.config)
  const { convert } = await import('./convert.ts')
  const { filename, context, namespace, controllerConfig, gateway } = flags
  const result = await convert({
    source: { files: filename, context, namespaces: namespace, controllerConfig },
    target: flags.to,
    gatewayApi: {
      version: flags.gatewayApiVersion,
      hasIstioApis: flags.istioCrds,
      isExperimental: flags.experimental === true,
    },
    format: flags.output,
    gateway: gateway === undefined ? rules.gateway : { ...rules.gateway, shared: gateway },
    reportFile: flags.report,
    folder: flags.outputFolder,
    failOn: flags.failOn,
    isTerminal: run.stdout.isTTY === true && run.stderr.isTTY === true,
    tell: tellTo(run),
  })
  run.stderr.write(result.report)
  run.stdout.write(result.output)
  if (result.hasFindings) run.exitCode = 1
}

/** Returns the minor version of `1.6` or `v1.6.0`. */
function parseVersion(value: string): number {
  const minor = /^v?1\.(\d{1,3})(?:\.\d+)?$/.exec(value)?.[1]
  if (minor !== undefined) return Number(minor)
  throw new InvalidArgumentError('A version such as 1.6 is expected.')
}

const ENDINGS = '.html (an estate view), .md, .csv or .json'

function parseReport(value: string): string {
  if (/\.(?:html|md|csv|json)$/.test(value)) return value
  throw new InvalidArgumentError(`A file name that ends in ${ENDINGS} is expected.`)
}

function parseGateway(value: string): string {
  if (/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value)) return value
  throw new InvalidArgumentError('NAMESPACE/NAME is expected.')
}
