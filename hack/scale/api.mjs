// A few requests at an API server, many at a time, by the kubeconfig in KUBECONFIG.
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubeConfig } from '@kubernetes/client-node'

/**
 * `send(method, path, object)` resolves to status and body; `create(path, object)` makes it unless it is there already.
 * `connections` requests are under way together.
 */
export async function connect(connections) {
  const config = new KubeConfig()
  config.loadFromDefault()
  const { server } = config.getCurrentCluster()
  const { ca, cert, key, headers } = await httpsOptions(config)
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key })
  const send = (method, path, object) =>
    new Promise((resolve, reject) => {
      const body = object === undefined ? '' : JSON.stringify(object)
      const options = { method, agent, headers: { ...headers, 'content-type': 'application/json' } }
      const sent = request(`${server}${path}`, options, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode, body: answer }), reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
  const create = async (path, object) => {
    for (;;) {
      const { status, body } = await send('POST', path, object)
      if (status === 201 || status === 409) return
      // The API server's own limit on requests in flight.
      if (status !== 429) throw new Error(`POST ${path}: ${status} ${body}`)
      await sleep(500)
    }
  }
  return { send, create, close: () => agent.destroy() }
}

async function httpsOptions(config) {
  const options = {}
  await config.applyToHTTPSOptions(options)
  return options
}

/** Runs `action` for 0, 1, ... `count - 1`, `width` of them at a time. */
export async function each(count, width, action) {
  let next = 0
  const work = async () => {
    while (next < count) await action(next++)
  }
  await Promise.all(Array.from({ length: width }, work))
}
