/** Changes of the configuration file while the server runs. A file that cannot be used changes nothing. */
import { readConfiguration, type Configuration } from '../config.ts'
import { messageOf } from '../errors.ts'
import { equalJson, ownEntry, type Json } from '../kubernetes/json.ts'
import { watchFiles } from '../server/watched-files.ts'

export interface ConfigurationEvents {
  /** `waiting` are the settings that have changed since the start but need a restart. */
  readonly changed: (inForce: Configuration, waiting: readonly string[]) => void
  /** Called once for each way in which the file cannot be used. */
  readonly refused: (problem: string) => void
}

/** `running` is the configuration at the start. Returns a function that stops it. */
export function followConfiguration(file: string, running: Configuration, events: ConfigurationEvents): () => void {
  let known = running
  let refused: string | undefined
  const refuse = (error: unknown): void => {
    const problem = messageOf(error)
    if (problem !== refused) events.refused(problem)
    refused = problem
  }
  const reread = async (): Promise<void> => {
    try {
      const next = await readConfiguration(file)
      if (refused === undefined && isEqual(next, known)) return
      refused = undefined
      known = next
      events.changed(withoutRestart(running, next), waitingSettings(running, next))
    } catch (error) {
      refuse(error)
    }
  }
  return watchFiles([file], reread, refuse)
}

/**
 * | settings                                       | take effect                                      |
 * |------------------------------------------------|--------------------------------------------------|
 * | rules, logLevel                                | at once                                          |
 * | cluster, certificates, tls, limits, shutdown   | after a restart: watches and servers hold them   |
 */
function withoutRestart(running: Configuration, next: Configuration): Configuration {
  const { controlPlaneNamespaces } = running.rules
  return { ...running, rules: { ...next.rules, controlPlaneNamespaces }, logLevel: next.logLevel }
}

const AFTER_RESTART = ['cluster', 'certificates', 'tls', 'limits', 'shutdown'] as const

function waitingSettings(running: Configuration, next: Configuration): readonly string[] {
  return AFTER_RESTART.flatMap((section) => {
    const before: Readonly<Record<string, unknown>> = running[section]
    return Object.entries(next[section])
      .filter(([key, value]) => !isEqual(value, ownEntry(before, key)))
      .map(([key]) => `${section}.${key}`)
  })
}

function isEqual(left: unknown, right: unknown): boolean {
  return equalJson(left as Json, right as Json)
}
