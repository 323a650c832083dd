// Checks that the lint rule of the one arrow (eslint.config.js) reports violations. Part of `npm run lint`.
import { ESLint } from 'eslint'

const RULES = ['no-restricted-imports', 'no-restricted-globals', 'no-restricted-properties']

const WRONG = [
  ['src/kubernetes/json.ts', "import { capture } from '../istio/capture.ts'"],
  ['src/istio/capture.ts', "import { REASONS } from '../rules/reasons.ts'"],
  ['src/conversion/convert.ts', "import { capture } from '../istio/capture.ts'"],
  ['src/conversion/hosts/plan-hosts.ts', "import { capture } from '../../istio/capture.ts'"],
  ['src/rules/rules.ts', "import { admit } from '../admission/admit.ts'"],
  ['src/rules/rules.ts', "import { gather } from '../readiness/facts.ts'"],
  ['src/rules/probes/receipt.ts', "import { buildClusterState } from '../../cluster/cluster-state.ts'"],
  ['src/rules/strict-switch/rule.ts', "import { buildClusterState } from '../../cluster/cluster-state.ts'"],
  ['src/readiness/facts.ts', "import { INGRESS } from '../rules/ingress/ingress-rule.ts'"],
  ['src/readiness/facts.ts', "import { REASONS } from '../rules/reasons.ts'"],
  ['src/admission/admit.ts', "import { createDrain } from '../server/drain.ts'"],
  ['src/server/drain.ts', "import { preview } from '../commands/preview.ts'"],
  ['src/cluster/manifest.ts', "import { createDrain } from '../server/drain.ts'"],
  ['src/cluster/manifest.ts', "import { readConfiguration } from '../config.ts'"],
  ['src/certificates/self-signed.ts', "import { createDrain } from '../server/drain.ts'"],
  ['src/commands/preview.ts', "import { createReview } from '../demo/api-server.ts'"],
  ['src/commands/preview.ts', "import { run } from '../cli.ts'"],
  ['src/rules/rules.ts', "import { readFile } from 'node:fs/promises'"],
  ['src/readiness/facts.ts', "import { readFile } from 'node:fs/promises'"],
  ['src/istio/capture.ts', "import fastify from 'fastify'"],
  ['src/rules/rules.ts', 'export const now = Date.now()'],
  ['src/rules/rules.ts', 'export const home = process.env'],
  ['src/kubernetes/json.ts', "export const bytes = Buffer.from('x')"],
]

const RIGHT = [
  ['src/rules/rules.ts', "import { capture } from '../istio/capture.ts'"],
  ['src/rules/strict-switch/rule.ts', "import { gather } from '../../readiness/facts.ts'"],
  ['src/rules/strict-switch/rule.ts', "import { REASONS } from '../reasons.ts'"],
  ['src/readiness/facts.ts', "import { parseReceipt } from '../rules/probes/receipt.ts'"],
  ['src/admission/admit.ts', "import { RULES } from '../rules/rules.ts'"],
  ['src/cluster/manifest.ts', "import { InputError } from '../errors.ts'"],
  ['src/certificates/self-signed.ts', "import { readAddress } from '../kubernetes/ip-address.ts'"],
  ['src/commands/preview.ts', "import { readManifests } from '../cluster/manifest-files.ts'"],
]

// Types are of no concern here, and to load them is most of the time that a lint takes.
const eslint = new ESLint({
  overrideConfig: {
    languageOptions: { parserOptions: { projectService: false } },
    rules: Object.fromEntries(Object.keys(await typedRules()).map((name) => [name, 'off'])),
  },
})

async function typedRules() {
  const { rules = {} } = await new ESLint().calculateConfigForFile('src/version.ts')
  return Object.fromEntries(Object.entries(rules).filter(([name]) => name.startsWith('@typescript-eslint/')))
}

async function complaints(filePath, source) {
  const [result] = await eslint.lintText(`${source}\n`, { filePath })
  const fatal = result.messages.find((message) => message.fatal === true)
  if (fatal !== undefined) throw new Error(`${filePath}: ${fatal.message}`)
  return result.messages.filter(({ ruleId }) => RULES.includes(ruleId))
}

let failures = 0
for (const [expected, cases] of [
  [1, WRONG],
  [0, RIGHT],
])
  for (const [file, source] of cases) {
    const { length } = await complaints(file, source)
    if (length === expected) continue
    failures += 1
    console.error(`${file}: ${source}\n  ${length} complaints of the arrow, expected ${expected}`)
  }
console.log(`the arrow: ${WRONG.length} wrong imports refused, ${RIGHT.length} right ones taken, ${failures} failures`)
process.exitCode = failures === 0 ? 0 : 1
