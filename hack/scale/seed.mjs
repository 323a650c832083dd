// Makes the cluster of hack/scale/objects.mjs in the API server of KUBECONFIG. What is there already stays: it can be
// run again after an interruption.
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, each } from './api.mjs'
import { DEFINITION, INJECTION, KINDS } from './objects.mjs'

const WIDTH = 48
const { send, create, close } = await connect(WIDTH)

await create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)
await create('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', INJECTION)
while ((await send('GET', '/apis/security.istio.io/v1/peerauthentications?limit=1')).status !== 200) await sleep(200)
for (const { name, count, path, make } of KINDS) {
  const started = performance.now()
  await each(count, WIDTH, async (index) => {
    const object = make(index)
    await create(path(object), object)
  })
  const seconds = (performance.now() - started) / 1000
  console.log(`${count} ${name} in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} a second`)
}
close()
