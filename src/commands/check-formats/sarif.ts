/**
 * `check -o sarif`: SARIF 2.1.0, for code scanning. Every code is a rule, each finding a result; an ignored one is a result that is
 * suppressed, and what is not known is a notification of the run
 * (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
 */
import type { Location, Log, Result, ToolComponent } from 'sarif'
import { describe } from '../../kubernetes/object.ts'
import { FINDING_CODES, FINDING_DOCS, FINDINGS } from '../../readiness/finding-codes.ts'
import { packageVersion } from '../../version.ts'
import type { CheckReport, IgnoredFinding, ReportedFinding } from '../check-report.ts'
import { describeFinding } from './described.ts'

const LEVELS = { error: 'error', warn: 'warning', info: 'note' } as const

export function toSarif({ findings, unknown, ignored }: CheckReport): Log {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: driver() },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: unknown.map(({ namespace, reason }) => ({
              level: 'note',
              message: { text: `not known: namespace ${namespace}: ${reason}` },
            })),
          },
        ],
        results: [...findings.map(resultOf), ...ignored.map(suppressedResult)],
      },
    ],
  }
}

function driver(): ToolComponent {
  return {
    name: 'istio-onramp',
    version: packageVersion(),
    informationUri: 'https://github.com/istio-onramp/istio-onramp',
    rules: FINDING_CODES.map((code) => {
      const { severity, area, title, meaning, remedy } = FINDINGS[code]
      return {
        id: code,
        shortDescription: { text: `${title}.` },
        fullDescription: { text: meaning },
        help: { text: remedy },
        helpUri: `${FINDING_DOCS}${code}.md`,
        defaultConfiguration: { level: LEVELS[severity] },
        properties: { tags: [area] },
      }
    }),
  }
}

function resultOf(finding: ReportedFinding): Result {
  const { code, severity, object, message, fix, fingerprint, isNew } = finding
  return {
    ruleId: code,
    ruleIndex: FINDING_CODES.indexOf(code),
    level: LEVELS[severity],
    message: { text: `${describeFinding(finding)}: ${message} Fix: ${fix}` },
    ...(isNew === undefined ? {} : { baselineState: isNew ? 'new' : 'unchanged' }),
    locations: [
      {
        ...physicalLocation(finding),
        logicalLocations: [{ fullyQualifiedName: describe(object), kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'istioOnramp/v1': fingerprint },
  }
}

function suppressedResult(finding: IgnoredFinding): Result {
  const justification = `ignored by ${finding.ignoredBy}`
  return { ...resultOf(finding), suppressions: [{ kind: 'external', status: 'accepted', justification }] }
}

/** The file as it was named on the command line, as a URI reference. */
function physicalLocation({ file, line }: ReportedFinding): Pick<Location, 'physicalLocation'> {
  if (file === undefined) return {}
  const uri = file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/')
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine: line ?? 1 } } }
}
