/** The ServiceEntry of a host that a workload calls (https://istio.io/latest/docs/reference/config/networking/service-entry/). */
import type { UnknownHost } from '../callers/tally.ts'
import { readAddress } from '../kubernetes/ip-address.ts'

/** Protocols by port, where the log does not tell: databases are TCP, with the name that Istio's metrics show. */
const DATABASES: ReadonlyMap<number, string> = new Map([
  [3306, 'MySQL'],
  [5432, 'TCP'],
  [6379, 'Redis'],
  [27_017, 'Mongo'],
])

/** For its own namespace alone, so that other namespaces keep what they have. */
export function serviceEntryYaml(call: UnknownHost, namespace: string): string {
  const { host, port } = call
  const isAddress = readAddress(host) !== undefined
  const name =
    host
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 50) || 'external'
  const number = port > 0 ? port : 443
  const protocol = protocolOf(call)
  return [
    'apiVersion: networking.istio.io/v1',
    'kind: ServiceEntry',
    'metadata:',
    `  name: ${name}`,
    `  namespace: ${namespace}`,
    'spec:',
    '  hosts:',
    `  - ${isAddress ? `${name}.external` : host}`,
    ...(isAddress ? ['  addresses:', `  - ${JSON.stringify(host)}`] : []),
    '  location: MESH_EXTERNAL',
    '  ports:',
    `  - number: ${number}`,
    `    name: ${protocol.toLowerCase()}-${number}`,
    `    protocol: ${protocol}`,
    `  resolution: ${isAddress ? 'STATIC' : 'DNS'}`,
    ...(isAddress ? ['  endpoints:', `  - address: ${JSON.stringify(host)}`] : []),
    '  exportTo:',
    '  - "."',
  ].join('\n')
}

/** HTTP that arrives as such is HTTP; TLS, and anything opaque on 443, is TLS. */
function protocolOf({ isRequest, isTls, port }: UnknownHost): string {
  if (isRequest) return 'HTTP'
  if (isTls || port === 443) return 'TLS'
  return DATABASES.get(port) ?? 'TCP'
}
