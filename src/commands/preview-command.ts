/** The flags of `istio-onramp preview`. preview.ts implements the command. */
import { Option, type Command } from 'commander'
import type { ClusterFlags } from './load-cluster.ts'
import type { Run } from './run.ts'
import {
  collect,
  configurationOf,
  contextOption,
  fromOption,
  hasColor,
  PATHS,
  reportProblems,
  tellTo,
  writeTo,
} from './shared-options.ts'

interface PreviewFlags extends ClusterFlags {
  readonly filename: string[]
  readonly config?: string
  readonly namespace?: string
  readonly output: 'text' | 'json' | 'yaml'
  readonly all?: boolean
}

export function addPreview(program: Command, run: Run): void {
  program
    .command('preview')
    .description('Show what admission would do to manifests.')
    .requiredOption('-f, --filename <path>', `manifests: ${PATHS}`, collect)
    .addOption(fromOption())
    .addOption(contextOption())
    .option('--config <file>', 'configuration file of the webhook (YAML)')
    .option(
      '-n, --namespace <name>',
      'namespace of objects that name none (default: that of the context, or "default")',
    )
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json', 'yaml']).default('text'))
    .option('--all', 'also show unchanged objects')
    .action(async ({ filename, config, namespace, output, all, ...flags }: PreviewFlags) => {
      const { loadCluster } = await import('./load-cluster.ts')
      const { preview } = await import('./preview.ts')
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
