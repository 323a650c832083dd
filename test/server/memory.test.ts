// The bounds on memory are in four files; together they have to fit into the pod's limit.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { DEFAULT_CONFIGURATION } from '../../src/config.ts'
import { BODY_BOUNDS } from '../../src/server/body-bounds.ts'
import { memberAt, type Json } from '../../src/kubernetes/json.ts'

const MIB = 1024 * 1024
/** Node itself, its code and the TLS connections (server/connections.ts), measured: 105 MiB with a heap of 30. */
const BASE = 90 * MIB

t.test('heap, bodies and Node itself fit into the memory limit of the chart', (t) => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const heap = Number(/--max-old-space-size=(\d+)/.exec(read('Dockerfile'))?.[1]) * MIB
  const values = parse(read('charts/istio-onramp/values.yaml')) as Json
  const limit = Number(/^(\d+)Mi$/.exec(String(memberAt(values, 'resources', 'limits', 'memory')))?.[1]) * MIB
  const { inFlightBytes, requestBytes } = DEFAULT_CONFIGURATION.limits
  t.ok(requestBytes <= inFlightBytes)
  t.ok(heap + inFlightBytes + BODY_BOUNDS.smallTotal + BASE <= limit, `of ${limit / MIB} MiB`)
  // The text, what is parsed from it at the worst (server/parse-review.ts), and the cluster's state.
  t.ok(2 * requestBytes + 150 * MIB + 60 * MIB <= heap)
  t.end()
})
