// What Argo CD and Flux make of the chart in each mode after cainjector or our servers have written caBundle and data of the
// Secret: nothing, by their own diff libraries. hack/chart/full builds those and runs this.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { arrayMember, type JsonObject } from '../../src/kubernetes/json.ts'
import { NAME, NAMESPACE, nameOf, ofKind, render } from '../support/api-server/helm.ts'
import { createNamespace, done, kubeconfig } from '../support/api-server/kubectl.ts'
import { SERVING } from '../support/api-server/objects.ts'

const BIN = process.env['DRIFT_BIN'] ?? ''
const MODES: Readonly<Record<string, JsonObject>> = {
  certManager: {},
  selfManaged: { certificates: { mode: 'selfManaged' } },
  existingSecret: { certificates: { mode: 'existingSecret', existingSecret: { name: 'tls', caBundle: SERVING.ca } } },
}
/** As each tool applies, and its diff of a file of manifests. */
const TOOLS: Readonly<Record<string, { readonly apply: readonly string[]; readonly diff: readonly string[] }>> = {
  'Argo CD': { apply: [], diff: ['argo-cd-diff', 'client-side'] },
  'Argo CD, server-side': {
    apply: ['--server-side', '--field-manager=argocd-controller'],
    diff: ['argo-cd-diff', 'server-side'],
  },
  Flux: { apply: ['--server-side', '--field-manager=kustomize-controller'], diff: ['flux-diff'] },
}

for (const name of [NAMESPACE, 'istio-system']) await createNamespace(name)

function differences(diff: readonly string[], file: string): string {
  const [program = '', ...args] = diff
  const { status, stdout, stderr } = spawnSync(join(BIN, program), [...args, kubeconfig(), file], { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(stderr)
  return stdout
}

async function writeAtRuntime(objects: readonly JsonObject[]): Promise<void> {
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])
    for (const configuration of ofKind(objects, kind)) {
      const patch = arrayMember(configuration, 'webhooks').map((_, index) => ({
        op: 'add',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value: Buffer.from(SERVING.ca).toString('base64'),
      }))
      const manager = '--field-manager=istio-onramp-certificates'
      await done(['patch', `${kind}/${nameOf(configuration)}`, '--type=json', manager, '-p', JSON.stringify(patch)])
    }
  for (const secret of ofKind(objects, 'Secret')) {
    const patch = JSON.stringify({ stringData: { 'tls.crt': SERVING.cert, 'tls.key': SERVING.key } })
    await done([
      'patch',
      `secret/${nameOf(secret)}`,
      '-n',
      NAMESPACE,
      '--type=merge',
      '--field-manager=node',
      '-p',
      patch,
    ])
  }
}

for (const [tool, { apply, diff }] of Object.entries(TOOLS))
  t.test(
    `${tool}: no difference in any mode after caBundle was written, and one where somebody else changes a field`,
    async (t) => {
      for (const [mode, values] of Object.entries(MODES)) {
        const objects = render({ values })
        const file = join(mkdtempSync(join(tmpdir(), 'onramp-drift-')), 'objects.yaml')
        const text = objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n')
        writeFileSync(file, text)
        await done(['apply', ...apply, '-f', file])
        if (mode !== 'existingSecret') await writeAtRuntime(objects)
        t.equal(differences(diff, file), '', mode)
        await done(['patch', `deployment/${NAME}`, '-n', NAMESPACE, '-p', '{"spec":{"revisionHistoryLimit":1}}'])
        t.match(differences(diff, file), NAME, `${mode}: that it finds something`)
        await done(['delete', '-f', file])
      }
    },
  )
