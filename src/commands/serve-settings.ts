/** The settings of a running server that can change: by its configuration file, and by a signal. */
import type { Logger } from 'pino'
import type { Configuration } from '../config.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import type { Metrics } from '../server/metrics.ts'
import { followConfiguration, type ConfigurationEvents } from './follow-configuration.ts'

/** The signal that makes the server log everything until it is sent again. */
export const DEBUG_SIGNAL = 'SIGUSR2'

export interface SettingsInForce {
  readonly rules: () => RuleConfiguration
  readonly stop: () => void
}

/** Keeps rules and log level as the configuration file has them; `file` is undefined for the defaults. */
export function followSettings(
  configuration: Configuration,
  file: string | undefined,
  log: Logger,
  metrics: Metrics,
): SettingsInForce {
  let inForce = configuration
  let isDebugging = false
  const setLevel = (): void => void (log.level = isDebugging ? 'debug' : inForce.logLevel)
  const toggleDebug = (): void => {
    isDebugging = !isDebugging
    setLevel()
    log.warn({ logLevel: log.level }, `log level changed by ${DEBUG_SIGNAL}`)
  }
  process.on(DEBUG_SIGNAL, toggleDebug)
  const events: ConfigurationEvents = {
    changed(next, waiting) {
      inForce = next
      setLevel()
      metrics.countConfigurationReload('loaded')
      log.info('configuration reloaded')
      if (waiting.length > 0) log.warn({ settings: waiting }, 'these settings take effect after a restart')
    },
    refused(problem) {
      metrics.countConfigurationReload('refused')
      log.error({ problem }, 'the configuration file cannot be used; the current configuration stays in force')
    },
  }
  const stopFollowing = file === undefined ? () => undefined : followConfiguration(file, configuration, events)
  return {
    rules: () => inForce.rules,
    stop: () => {
      process.off(DEBUG_SIGNAL, toggleDebug)
      stopFollowing()
    },
  }
}
