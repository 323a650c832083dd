/**
 * `check -o github`: workflow commands, which GitHub shows beside the lines of a pull request
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
 */
import { describeFinding, titleOf } from './described.ts'
import type { CheckReport, ReportedFinding } from '../check-report.ts'

const COMMANDS = { error: 'error', warn: 'warning', info: 'notice' } as const

export function toGithub({ findings, unknown, ignored }: CheckReport): string {
  const lines = [
    ...findings.map((finding) => command(COMMANDS[finding.severity], placeOf(finding), text(finding))),
    ...unknown.map(({ namespace, reason }) =>
      command('notice', { title: 'not known' }, `namespace ${namespace}: ${reason}`),
    ),
    // Not a command, so that nothing is shown for what was ignored on purpose; the log has it.
    ...ignored.map((finding) => `ignored by ${finding.ignoredBy}: ${oneLine(text(finding))}`),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function text(finding: ReportedFinding): string {
  return `${describeFinding(finding)}: ${finding.message} Fix: ${finding.fix}`
}

function oneLine(line: string): string {
  return line.replaceAll(/\s+/g, ' ')
}

function placeOf(finding: ReportedFinding): Readonly<Record<string, string>> {
  const { file, line } = finding
  return { ...(file === undefined ? {} : { file, line: String(line ?? 1) }), title: titleOf(finding) }
}

function command(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const given = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`)
  return `::${name} ${given.join(',')}::${escapeData(message)}`
}

function escapeData(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(value: string): string {
  return escapeData(value).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
