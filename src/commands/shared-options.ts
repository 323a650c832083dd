/** Shared by several commands: options, configuration and output streams. */
import { Option } from 'commander'
import type { Configuration } from '../config.ts'
import { InputError } from '../errors.ts'
import type { Run, Streams } from './run.ts'

/** The possible values of an option for manifests, for its help. */
export const PATHS = 'file, folder (read recursively) or - for standard input; repeatable'

export function fromOption(): Option {
  return new Option('--from <path>', `read the cluster from manifests instead of an API server: ${PATHS}`).argParser(
    collect,
  )
}

export function contextOption(): Option {
  return new Option('--context <name>', 'kubeconfig context to use').conflicts('from')
}

/** Collects the values of a repeatable option. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

/** Reads the configuration of `--config`, or returns the defaults. Throws InputError. */
export async function configurationOf(file: string | undefined): Promise<Configuration> {
  const { DEFAULT_CONFIGURATION, readConfiguration } = await import('../config.ts')
  return file === undefined ? DEFAULT_CONFIGURATION : await readConfiguration(file)
}

/**
 * Returns a function that writes and resolves once the reader keeps up, so that a large output never piles up in
 * memory.
 */
export function writeTo({ stdout }: Run): (text: string) => Promise<void> {
  return async (text) => {
    if (text === '' || stdout.write(text) !== false) return
    await new Promise((resolve) => stdout.once?.('drain', () => resolve(undefined)) ?? resolve(undefined))
  }
}

/** Returns a function that writes a line to standard error. */
export function tellTo({ stderr }: Run): (line: string) => void {
  return (line) => void stderr.write(`${line}\n`)
}

/** Throws InputError if there are problems. Called after everything readable has been printed. */
export function reportProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
}

/** Output is coloured only on a terminal, and only if NO_COLOR is unset (https://no-color.org). */
export function hasColor({ stdout }: Streams): boolean {
  return stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
}
