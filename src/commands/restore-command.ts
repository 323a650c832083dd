/** The flags of `istio-onramp restore`. restore.ts implements the command. */
import { Option, type Command } from 'commander'
import type { Run } from './run.ts'
import { collect, PATHS, reportProblems, tellTo, writeTo } from './shared-options.ts'

interface RestoreFlags {
  readonly filename: string[]
  readonly output: 'yaml' | 'json'
}

export function addRestore(program: Command, run: Run): void {
  program
    .command('restore')
    .description('Restore rewritten probes from their receipts.')
    .requiredOption('-f, --filename <path>', `manifests: ${PATHS}`, collect)
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .action(async ({ filename, output }: RestoreFlags) => {
      const { restore } = await import('./restore.ts')
      const { restored, problems } = await restore(filename, output, { write: writeTo(run), tell: tellTo(run) })
      tellTo(run)(`${restored} ${restored === 1 ? 'object' : 'objects'} with a receipt restored`)
      reportProblems(problems)
    })
}
