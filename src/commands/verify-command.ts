/** The flags of `istio-onramp verify`. verify.ts implements the command. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Run } from './run.ts'
import { contextOption } from './shared-options.ts'
import { FUNCTIONS, verify, type WebhookFunction } from './verify.ts'

interface VerifyFlags {
  readonly namespace: string
  readonly function?: readonly WebhookFunction[]
  readonly wait: number
  readonly context?: string
}

export function addVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .description('Ask the API server for dry-run creates, and tell whether the webhook reviewed them.')
    .option('-n, --namespace <name>', 'a namespace that the webhook covers; it needs no Istio', 'default')
    .addOption(new Option('--function <names...>', 'the webhooks to test; all unless given').choices([...FUNCTIONS]))
    .option('--wait <seconds>', 'seconds to wait for the webhook', seconds, 0)
    .addOption(contextOption())
    .action(async (flags: VerifyFlags) => {
      const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
      const isReviewed = await verify({
        api: await connectToCluster(flags.context),
        namespace: flags.namespace,
        functions: flags.function ?? FUNCTIONS,
        patience: flags.wait * 1000,
        tell: (line) => void run.stdout.write(`${line}\n`),
      })
      run.exitCode = isReviewed ? 0 : 1
    })
}

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('A number of seconds is expected, for example 60.')
  return Number(text)
}
