// A stand-in API server with a cluster of large objects, over HTTPS. Arguments: certificate, key, Services, Deployments, and
// how often in milliseconds a watched Service and Deployment change (absent: never).
// Services have 250 KB of foreign annotations each, Deployments 1 MB. A page is made while it is sent.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [, , cert, key, services, deployments, churn] = process.argv
const watchers = new Map()
const metadata = (name, bytes) => ({
  name,
  namespace: 'shop',
  annotations: { 'example.com/notes': `${name}${'n'.repeat(bytes)}` },
})
const container = { name: 'web', image: 'x', livenessProbe: { httpGet: { port: 8080 } } }
const KINDS = {
  '/api/v1/namespaces': [
    2,
    (index) => ({ metadata: { name: ['shop', 'istio-system'][index], labels: { 'istio-injection': 'enabled' } } }),
  ],
  '/api/v1/services': [
    Number(services),
    (index) => ({
      metadata: metadata(`s${index}`, 250_000),
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    }),
  ],
  '/apis/apps/v1/deployments': [
    Number(deployments),
    (index) => ({
      metadata: metadata(`d${index}`, 1_000_000),
      spec: { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } } },
    }),
  ],
}

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const url = new URL(request.url, 'https://x')
  response.setHeader('content-type', 'application/json')
  if (url.searchParams.has('watch')) {
    response.flushHeaders()
    watchers.set(url.pathname, response)
    return
  }
  if (url.pathname === '/apis') response.end('{"kind":"APIGroupList","groups":[{"name":"apps","versions":[]}]}')
  else if (/istio\.io|gateway\.networking/.test(url.pathname)) response.writeHead(404).end('{"kind":"Status"}')
  else void sendPage(response, url)
})

async function sendPage(response, url) {
  const [count, make] = KINDS[url.pathname] ?? [0]
  const start = Number(url.searchParams.get('continue') ?? 0)
  const end = Math.min(count, start + Number(url.searchParams.get('limit') ?? count))
  const more = end < count ? `,"continue":"${end}"` : ''
  response.write(`{"kind":"List","metadata":{"resourceVersion":"7"${more}},"items":[`)
  for (let index = start; index < end && !response.destroyed; index++) {
    const isRoom = response.write(`${index === start ? '' : ','}${JSON.stringify(make(index))}`)
    if (!isRoom) await once(response, 'drain')
  }
  response.end(']}')
}

let version = 7
function change() {
  version += 1
  for (const path of ['/api/v1/services', '/apis/apps/v1/deployments']) {
    const [count, make] = KINDS[path]
    const object = make(version % count)
    object.metadata.resourceVersion = String(version)
    object.metadata.labels = { version: String(version) }
    const watcher = watchers.get(path)
    if (watcher?.writable) watcher.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`)
  }
}
if (churn !== undefined) setInterval(change, Number(churn))

server.listen(0, '127.0.0.1', () => console.log(server.address().port))
