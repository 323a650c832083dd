// What `check --assume-strict` says of two applications, against what breaks on a real node once STRICT is on, and what it says
// of the modes in force, against what fails before. hack/check/on-node runs it.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createSelfSigned, type SelfSigned } from '../../../src/certificates/self-signed.ts'
import { arrayMember, memberAt, type JsonObject } from '../../../src/kubernetes/json.ts'
import { done, kubectl } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { API_SERVICE, apiService, LAB, LAB_NODE_PORT, labClients, labServers, OUT } from '../support/node/lab.ts'
import { ASKED, clients, LEGACY, NODE_PORT, servers, SHOP, webhook } from '../support/node/shop.ts'
import {
  apply,
  failing,
  failingAfter,
  list,
  manifestsOf,
  predicted,
  runningPodOf,
  untilAvailable,
  type Application,
} from '../support/node/switched.ts'

interface Trial {
  readonly namespaces: readonly [string, string]
  readonly certified: string
  readonly servers: (pair: SelfSigned) => readonly JsonObject[]
  /** Workloads whose running pods the clients need. */
  readonly called: readonly string[]
  readonly clients: (...addresses: readonly string[]) => readonly JsonObject[]
  readonly callback: (pair: SelfSigned) => JsonObject
  readonly entrances: Application['entrances']
  /** Its hooks run when a pod ends and when the next one starts. */
  readonly hooked: string
  /** The least number of things that break, so that the trial is one. */
  readonly breaks: number
}

const shop: Trial = {
  namespaces: [SHOP, LEGACY],
  certified: 'gate.shop.svc',
  servers,
  called: ['api', 'store'],
  clients: (api = '', store = '') => clients(api, store),
  callback: webhook,
  entrances: async () => {
    const asked = await kubectl(['create', '--dry-run=server', '-f', '-'], ASKED)
    return [...(asked.status === 0 ? [] : ['webhook gate']), ...(await refusedAt(NODE_PORT, `${SHOP}/open`))]
  },
  hooked: 'hooks',
  breaks: 14,
}

const lab: Trial = {
  namespaces: [LAB, OUT],
  certified: 'gate.lab.svc',
  servers: labServers,
  called: ['ledger'],
  clients: (ledger = '') => labClients(ledger),
  callback: apiService,
  entrances: async () => {
    const services = await list('apiservices')
    const ours = services.find((object) => memberAt(object, 'metadata', 'name') === API_SERVICE)
    const conditions = arrayMember(memberAt(ours, 'status'), 'conditions')
    const isAvailable = conditions.some(
      (one) => memberAt(one, 'type') === 'Available' && memberAt(one, 'status') === 'True',
    )
    return [
      ...(isAvailable ? [] : [`api service ${API_SERVICE}`]),
      ...(await refusedAt(LAB_NODE_PORT, `${LAB}/entered`)),
    ]
  },
  hooked: 'hooked',
  breaks: 20,
}

async function refusedAt(port: number, service: string): Promise<readonly string[]> {
  const answer = await fetch(`http://10.88.0.1:${port}/`, { headers: { connection: 'close' } }).catch(() => undefined)
  return answer?.ok === true ? [] : [`node port ${service}`]
}

const wanted = (process.env['TRIALS'] ?? 'shop,lab').split(',')
for (const [name, trial] of Object.entries({ shop, lab }))
  if (wanted.includes(name))
    await t.test(name, async (t) => {
      const { namespaces, hooked, entrances } = trial
      const [home, outside] = namespaces
      const pair = await createSelfSigned([trial.certified], new Date())
      const spaces = [namespaceObject(home, { 'istio-injection': 'enabled' }), namespaceObject(outside)]
      const serving = trial.servers(pair)
      await apply([...spaces, ...serving])
      await untilAvailable([home])
      const pods = await Promise.all(trial.called.map((called) => runningPodOf(called, home)))
      const calling = trial.clients(...pods.map((pod) => String(memberAt(pod, 'status', 'podIP'))))
      await apply([...calling, trial.callback(pair)])
      await untilAvailable(namespaces)
      await sleep(50_000)

      const application: Application = { namespaces, servers: serving, clients: calling, entrances }
      const given = [...(await list('nodes')), ...(await list('configmaps', '-n', 'istio-system'))]
      const manifests = [...spaces, ...serving, ...calling, trial.callback(pair), ...pods, ...given]
      const scope = namespaces.flatMap((namespace) => ['-n', namespace])
      // A callback is an object of no namespace, and of the scope of its server's.
      const sources = { manifests: ['--from', manifestsOf(manifests)], cluster: [] as readonly string[] }
      const now = predicted([...sources.cluster, ...scope])
      t.same(now, predicted([...sources.manifests, ...scope]), 'of now, the manifests and the cluster say the same')
      const later = predicted([...sources.cluster, ...scope, '--assume-strict', home])
      t.same(later, predicted([...sources.manifests, ...scope, '--assume-strict', home]), 'and of later as well')

      const before = await failing(application, new Date(Date.now() - 45_000))
      compare(t, now, before, 'before the switch')
      const since = new Date()
      await apply([peerAuthentication(home, 'default', { mtls: { mode: 'STRICT' } })])
      compare(t, later, await failingAfter(application, hooked, since), 'within three minutes after it')
      t.ok(later.length >= trial.breaks, `${later.length} things break: ${later.join('; ')}`)
      await remove(namespaces, trial.callback(pair))
    })

/** The node has room for one application, and the next one's pods must not meet the callback of this one. */
async function remove(namespaces: readonly string[], callback: JsonObject): Promise<void> {
  await done(['delete', '-f', '-'], callback)
  for (const namespace of namespaces) {
    await done(['delete', 'deployment,statefulset,daemonset,job,cronjob,pod', '--all', '-n', namespace, '--wait=false'])
    await done(['wait', 'pod', '--all', '-n', namespace, '--for=delete', '--timeout=120s'])
  }
}

function compare(t: Test, predicted: readonly string[], seen: readonly string[], when: string): void {
  t.same(
    predicted.filter((entry) => !seen.includes(entry)),
    [],
    `no false alarm ${when}`,
  )
  t.same(
    seen.filter((entry) => !predicted.includes(entry)),
    [],
    `no miss ${when}`,
  )
}
