/** The flags of `istio-onramp convert`. convert.ts implements the command. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Run } from './run.ts'
import { collect, configurationOf, PATHS, tellTo } from './shared-options.ts'

interface ConvertFlags {
  readonly filename?: string[]
  readonly context?: string
  readonly namespace: string[]
  readonly controllerConfig?: string
  readonly to: 'istio' | 'gateway-api'
  readonly output: 'yaml' | 'json'
  readonly report?: string
  readonly failOn: 'error' | 'warn' | 'never'
  readonly gateway?: string
  readonly config?: string
}

export function addConvert(program: Command, run: Run): void {
  program
    .command('convert')
    .description('Convert Ingresses to Gateways and VirtualServices, or to Gateway API objects.')
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
    .addOption(new Option('--to <api>', 'API of the output').choices(['istio', 'gateway-api']).default('istio'))
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .option('--report <file>', 'also write the report to this file (JSON if it ends in .json, otherwise text)')
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 if the report has a line of this level or worse')
        .choices(['error', 'warn', 'never'])
        .default('error'),
    )
    .addOption(
      new Option('--gateway <namespace/name>', 'use this existing Gateway instead of generating one').argParser(
        parseGateway,
      ),
    )
    .option('--config <file>', 'configuration file (YAML); rules.gateway describes the gateway')
    .action(
      async ({
        filename,
        context,
        namespace,
        controllerConfig,
        to,
        output,
        report,
        failOn,
        gateway,
        config,
      }: ConvertFlags) => {
        const { rules } = await configurationOf(config)
        const { convert } = await import('./convert.ts')
        const result = await convert({
          source: { files: filename, context, namespaces: namespace, controllerConfig },
          target: to,
          format: output,
          gateway: gateway === undefined ? rules.gateway : { ...rules.gateway, shared: gateway },
          reportFile: report,
          failOn,
          isTerminal: run.stdout.isTTY === true && run.stderr.isTTY === true,
          tell: tellTo(run),
        })
        run.stderr.write(result.report)
        run.stdout.write(result.output)
        if (result.hasFindings) run.exitCode = 1
      },
    )
}

function parseGateway(value: string): string {
  if (/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(value)) return value
  throw new InvalidArgumentError('NAMESPACE/NAME is expected.')
}
