/** Parses the arguments and runs a command. Writes only to the given streams, and never ends the process. */
import { Command, CommanderError } from 'commander'
import type { ExitCode, Run, Streams } from './commands/run.ts'
import { addCheck } from './commands/check-command.ts'
import { addConvert } from './commands/convert-command.ts'
import { addPreview } from './commands/preview-command.ts'
import { addRestore } from './commands/restore-command.ts'
import { addServe } from './commands/serve-command.ts'
import { addVerify } from './commands/verify-command.ts'
import { InputError, messageOf, withErrorCode } from './errors.ts'
import { packageVersion } from './version.ts'

/**
 * Runs `istio-onramp ARGUMENTS`. The exit code is 0 for done, 1 for findings, and 2 for wrong usage or unreadable
 * input. `serve` returns once it listens.
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

/** Returns the program for its help texts (docs/reference/command-line.md). */
export function buildProgram({ stdout, stderr }: Streams): Command {
  return createProgram({ stdout, stderr, exitCode: 0 })
}

function createProgram(run: Run): Command {
  const program = new Command('istio-onramp')
    .description('Bring Kubernetes workloads onto Istio and through STRICT mutual TLS.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => run.stdout.write(text), writeErr: (text) => run.stderr.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(for usage, run istio-onramp --help or istio-onramp COMMAND --help)')
  addServe(program)
  addPreview(program, run)
  addRestore(program, run)
  addConvert(program, run)
  addCheck(program, run)
  addVerify(program, run)
  return program
}

/** commander has already printed its own message, so only the exit code remains. */
function exitCodeOf(error: unknown, run: Streams): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof InputError)
    run.stderr.write(error.problems.map((problem) => `error: ${withErrorCode(problem, error.code)}\n`).join(''))
  else run.stderr.write(`error: ${messageOf(error)}\n`)
  return 2
}
