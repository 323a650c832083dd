/** Objects on the real gateway, among the namespaces, backends and certificates that they name, until the test is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { createSelfSigned } from '../../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import type { ApiServer } from './api-server.ts'
import { startBackends } from './backends.ts'
import { countRefusals, settle } from './gateway.ts'
import { appliable, namespacesOf, secretNamesOf, secretObject, servicePortsOf } from './surroundings.ts'

/** Applied one after the other, as of a later second: the API server's times have no less. */
export async function stage(t: Test, server: ApiServer, ...batches: readonly (readonly JsonObject[])[]): Promise<void> {
  const refusals = await countRefusals()
  const objects = batches.flat()
  const backends = await startBackends(servicePortsOf(objects))
  t.teardown(() => backends.close())
  const around = [...backends.objects, ...(await secretsOf(objects))]
  for (const object of [...namespacesOf([...objects, ...around]), ...around]) await server.apply(object)
  for (const [index, batch] of batches.entries()) {
    if (index > 0) await sleep(1100)
    for (const object of batch) await server.apply(appliable(object))
  }
  t.teardown(() => Promise.all(objects.map((object) => server.remove(object))))
  await settle(server)
  t.equal((await countRefusals()) - refusals, 0, 'Envoy refuses nothing')
}

/** Each certificate is for a host that is called as its secret is, so that it is known again. */
async function secretsOf(objects: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  return await Promise.all(
    secretNamesOf(objects).map(async (id) =>
      secretObject(id, await createSelfSigned([id.slice(id.indexOf('/') + 1)], new Date())),
    ),
  )
}
