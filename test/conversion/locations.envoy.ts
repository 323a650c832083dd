/** Which backend gets a request where several Ingresses have one host, through a real Envoy. Run by hack/conversion/test. */
import t from 'tap'
import { connectApiServer } from './support/envoy/api-server.ts'
import { observe } from './support/envoy/gateway.ts'
import { stage } from './support/envoy/stage.ts'
import { convert } from './support/conversion-fixtures.ts'
import { ORDERS, PASSED_HOSTS, requestOf, SLASHES } from './support/location-cases.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { shortAnswer } from './support/short-answer.ts'

const server = await connectApiServer()
t.teardown(() => server.close())

for (const { title, ingresses, answers } of [...SLASHES, ...ORDERS, ...PASSED_HOSTS])
  t.test(title, async (t) => {
    const { objects } = convert(ingresses)
    await stage(t, server, objects)
    for (const text of Object.keys(answers)) {
      const expected = routeThroughIstio(objects, requestOf(text))
      // Port 80 is open, because another host is served there.
      const answer = expected.kind === 'no-listener' ? '404' : shortAnswer(expected)
      t.equal(await observe(requestOf(text), expected), answer, text)
    }
  })
