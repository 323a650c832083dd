/** What the Gateways of either API serve, as `PORT PROTOCOL HOST [MODE NAMESPACE/SECRET]`, sorted. */
import { arrayMember, member, stringMember, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

export function servedHosts(objects: readonly JsonObject[]): readonly string[] {
  return objects
    .filter((object) => ['Gateway', 'ListenerSet'].includes(String(object['kind'])))
    .flatMap((gateway) => {
      const namespace = stringMember(member(gateway, 'metadata'), 'namespace') ?? ''
      return [
        ...arrayMember(member(gateway, 'spec'), 'servers').flatMap(serverLines),
        ...arrayMember(member(gateway, 'spec'), 'listeners').map((listener) => listenerLine(listener, namespace)),
      ]
    })
    .toSorted()
}

function serverLines(server: Json): readonly string[] {
  const port = member(server, 'port')
  const credential = stringMember(member(server, 'tls'), 'credentialName')
  const tls = [
    stringMember(member(server, 'tls'), 'mode'),
    credential?.replace(credential.includes('.') ? '.' : '-', '/'),
  ]
  return arrayMember(server, 'hosts').map((host) =>
    line(Number(member(port, 'number')), stringMember(port, 'protocol') ?? '', String(host).replace(/^.*\//, ''), tls),
  )
}

const MODES: Readonly<Record<string, string>> = { Terminate: 'SIMPLE', Passthrough: 'PASSTHROUGH' }

function listenerLine(listener: Json, namespace: string): string {
  const tls = member(listener, 'tls')
  const [reference] = arrayMember(tls, 'certificateRefs')
  const secret =
    reference === undefined
      ? undefined
      : `${stringMember(reference, 'namespace') ?? namespace}/${stringMember(reference, 'name') ?? ''}`
  const mode = tls === undefined ? undefined : MODES[stringMember(tls, 'mode') ?? 'Terminate']
  return line(
    Number(member(listener, 'port')),
    stringMember(listener, 'protocol') ?? '',
    stringMember(listener, 'hostname') ?? '*',
    [mode, secret],
  )
}

function line(port: number, protocol: string, host: string, tls: readonly (string | undefined)[]): string {
  return [String(port), protocol, host, ...tls.filter((text) => text !== undefined)].join(' ')
}
