// The server as a pod runs it, with the service account of a folder: argv is the folder and the API server's port.
import { createClusterApi } from '../../dist/cluster/live/cluster-api.js'
import { addressOfPod } from '../../dist/cluster/live/pod-address.js'
import { serve } from '../../dist/commands/serve.js'
import { DEFAULT_CONFIGURATION } from '../../dist/config.js'

const [, , folder, port] = process.argv
const address = await addressOfPod(folder, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port })
await serve({
  configuration: DEFAULT_CONFIGURATION,
  cluster: { kind: 'live', api: createClusterApi(address) },
  listen: { host: '127.0.0.1', port: 0 },
  metrics: { host: '127.0.0.1', port: 0 },
  tls: { kind: 'self-signed', caOut: `${folder}/webhook.crt` },
})
