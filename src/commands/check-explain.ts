/** The page of a finding code: `check --explain CODE`, and docs/reference/findings/CODE.md. */
import { FINDING_CODES, FINDINGS, isFindingCode, type FindingCode } from '../readiness/finding-codes.ts'

/** Returns Markdown with a line break at the end. */
function findingPage(code: FindingCode): string {
  const { severity, area, title, meaning, remedy } = FINDINGS[code]
  return `# ${code}\n\n${title}. Severity: ${severity}. Step: ${area}.\n\n## What happens\n\n${meaning}\n\n## What to do\n\n${remedy}\n\nTo ignore it, annotate the object or its namespace: \`istio-onramp.io/ignore: "${code}=REASON"\`.\n`
}

/** Returns every page by its file name, and the index. */
export function findingPages(): ReadonlyMap<string, string> {
  const rows = FINDING_CODES.map(
    (code) => `- [${code}](${code}.md), ${FINDINGS[code].severity}: ${FINDINGS[code].title}.`,
  )
  const index = `# Findings of \`istio-onramp check\`\n\n${rows.join('\n')}\n`
  return new Map([['README.md', index], ...FINDING_CODES.map((code) => [`${code}.md`, findingPage(code)] as const)])
}

/** Returns undefined for an unknown code. */
export function explain(text: string): string | undefined {
  return isFindingCode(text) ? findingPage(text) : undefined
}
