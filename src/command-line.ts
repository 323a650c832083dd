/** Reads the arguments and hands them to a command. Writes to the streams that it is given, and never ends the process. */
import { Command, CommanderError } from 'commander'
import type { ExitCode, Run, Streams } from './commands/run.ts'
import { addCheck } from './commands/check-command.ts'
import { addConvert } from './commands/convert-command.ts'
import { addPreview } from './commands/preview-command.ts'
import { addRestore } from './commands/restore-command.ts'
import { addServe } from './commands/serve-command.ts'
import { InputError, messageOf, withErrorCode } from './errors.ts'
import { packageVersion } from './version.ts'

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
  addCheck(program, run)
  return program
}

/** commander prints its own message first; what is left is the exit code. */
function exitCodeOf(error: unknown, run: Streams): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof InputError)
    run.stderr.write(error.problems.map((problem) => `error: ${withErrorCode(problem, error.code)}\n`).join(''))
  else run.stderr.write(`error: ${messageOf(error)}\n`)
  return 2
}
