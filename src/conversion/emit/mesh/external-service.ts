/** Hosts outside of the mesh that a mirror or an authorization service is at. */
import type { JsonObject } from '../../../kubernetes/json.ts'

export interface ExternalService {
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly usesTls: boolean
}

/** With TLS, the gateway starts it: what it is given is plain HTTP. */
export function externalServiceObjects({ namespace, host, port, usesTls }: ExternalService): readonly JsonObject[] {
  const metadata = { name: host, namespace }
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata,
    spec: {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: port, name: `http-${port}`, protocol: 'HTTP' }],
    },
  }
  if (!usesTls) return [entry]
  const tls = { port: { number: port }, tls: { mode: 'SIMPLE', sni: host } }
  const rule = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata,
    spec: { host, trafficPolicy: { portLevelSettings: [tls] } },
  }
  return [entry, rule]
}
