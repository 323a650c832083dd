// The chart's cert-manager mode on a real node, with a stand-in for cert-manager and its cainjector: it signs what the
// Certificate asks for, and fills in the bundle where the annotation asks for it.
import t from 'tap'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { done, kubectl, release, uninstall } from '../../support/api-server/kubectl.ts'
import {
  createMeshNamespace,
  createReleaseNamespace,
  isReady,
  rolledOut,
  serverPods,
  sign,
  storeSecret,
  until,
} from '../support/node/release.ts'

await createReleaseNamespace()
await createMeshNamespace('shop')

t.test('pods wait for the certificate; once it is issued they are ready, and the API server trusts them', async (t) => {
  t.teardown(() => uninstall())
  release('install', {})
  await until('both pods are there', async () => (await serverPods()).length === 2)
  t.notOk((await serverPods()).some(isReady), 'no Secret, no server')
  await issue(await read(`certificate/${NAME}-tls`, '-n', NAMESPACE))
  await rolledOut()
  let answer = ''
  await until('the bundle is in force', async () => {
    answer = (await kubectl(['create', 'ingress', 'web', '-n', 'shop', '--rule=shop.example.com/=web:80'])).stderr
    return answer.includes('admission webhook')
  }).catch(() => undefined)
  t.match(answer, /admission webhook "ingress\.istio-onramp\.io" denied the request/)
})

async function issue(certificate: JsonObject): Promise<void> {
  const names = arrayMember(memberAt(certificate, 'spec'), 'dnsNames').map(String)
  const pair = await sign(names)
  await storeSecret(String(memberAt(certificate, 'spec', 'secretName')), pair)
  const caBundle = Buffer.from(pair.ca).toString('base64')
  for (const kind of ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'])
    await inject(`${kind}/istio-onramp`, `${NAMESPACE}/${String(memberAt(certificate, 'metadata', 'name'))}`, caBundle)
}

async function inject(configuration: string, certificate: string, caBundle: string): Promise<void> {
  const stored = await read(configuration)
  if (memberAt(stored, 'metadata', 'annotations', 'cert-manager.io/inject-ca-from') !== certificate) return
  const operations = arrayMember(stored, 'webhooks').map((_, index) => ({
    op: 'add',
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value: caBundle,
  }))
  await done(['patch', configuration, '--type=json', '-p', JSON.stringify(operations)])
}

async function read(...what: readonly string[]): Promise<JsonObject> {
  return JSON.parse(await done(['get', ...what, '-o', 'json'])) as Json as JsonObject
}
