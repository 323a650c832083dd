// The one arrow is held by a lint rule; here it is shown to fail where it should.
import { ESLint } from 'eslint'
import t from 'tap'

const eslint = new ESLint()

async function messagesFor(filePath: string, source: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(source, { filePath })
  const rules = ['no-restricted-imports', 'no-restricted-globals', 'no-restricted-properties']
  return (result?.messages ?? []).filter(({ ruleId }) => rules.includes(ruleId ?? '')).map(({ message }) => message)
}

t.test('a folder imports itself and what stands to the right of it, nothing else', async (t) => {
  const wrong: readonly (readonly [string, string])[] = [
    ['src/kubernetes/json.ts', "import { capture } from '../istio/capture.ts'"],
    ['src/istio/capture.ts', "import { REASONS } from '../rules/reasons.ts'"],
    ['src/conversion/ingress/ingress.ts', "import { capture } from '../istio/capture.ts'"],
    ['src/rules/rules.ts', "import { admit } from '../admission/admit.ts'"],
    ['src/rules/probes/receipt.ts', "import { buildClusterState } from '../../cluster/cluster-state.ts'"],
    ['src/admission/admit.ts', "import { createDrain } from '../server/drain.ts'"],
    ['src/server/drain.ts', "import { preview } from '../commands/preview.ts'"],
    ['src/cluster/manifest.ts', "import { createDrain } from '../server/drain.ts'"],
    ['src/commands/preview.ts', "import { createReview } from '../demo/api-server.ts'"],
    ['src/rules/rules.ts', "import { readFile } from 'node:fs/promises'"],
    ['src/istio/capture.ts', "import fastify from 'fastify'"],
    ['src/rules/rules.ts', 'export const now = Date.now()'],
    ['src/rules/rules.ts', 'export const home = process.env'],
    ['src/kubernetes/json.ts', "export const bytes = Buffer.from('x')"],
  ]
  for (const [file, source] of wrong) t.equal((await messagesFor(file, `${source}\n`)).length, 1, `${file}: ${source}`)
  const right: readonly (readonly [string, string])[] = [
    ['src/rules/rules.ts', "import { capture } from '../istio/capture.ts'"],
    ['src/admission/admit.ts', "import { RULES } from '../rules/rules.ts'"],
    ['src/commands/preview.ts', "import { readManifests } from '../cluster/manifest-files.ts'"],
  ]
  for (const [file, source] of right) t.same(await messagesFor(file, `${source}\n`), [], `${file}: ${source}`)
})
