/** What the API server trusts, and what a server presents. */
import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { readCertificates } from '../../../src/certificates/authority.ts'
import { arrayMember, isObject, memberAt, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { done } from '../../support/api-server/kubectl.ts'
import type { PodProcess } from './pod-process.ts'

export const KINDS = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'] as const

export async function read(...what: readonly string[]): Promise<JsonObject> {
  const object = JSON.parse(await done(['get', ...what, '-o', 'json'])) as Json
  return isObject(object) ? object : {}
}

/** The CA bundle of each webhook of both configurations, as PEM. */
export async function bundles(name = 'istio-onramp'): Promise<readonly string[]> {
  const configurations = await Promise.all(KINDS.map((kind) => read(`${kind}/${name}`)))
  return configurations
    .flatMap((configuration) => arrayMember(configuration, 'webhooks'))
    .map((webhook) => Buffer.from(String(memberAt(webhook, 'clientConfig', 'caBundle') ?? ''), 'base64').toString())
}

/** The fingerprints that each webhook of both configurations trusts. */
export async function trusted(): Promise<readonly (readonly string[])[]> {
  return (await bundles()).map((bundle) => readCertificates(bundle).map(({ fingerprint }) => fingerprint))
}

export async function emptyBundles(): Promise<void> {
  for (const kind of KINDS) {
    const { length } = arrayMember(await read(`${kind}/istio-onramp`), 'webhooks')
    const empty = Array.from({ length }, (_, index) => ({
      op: 'remove',
      path: `/webhooks/${index}/clientConfig/caBundle`,
    }))
    await done(['patch', `${kind}/istio-onramp`, '--type=json', '-p', JSON.stringify(empty)])
  }
}

export async function served(server: PodProcess): Promise<X509Certificate> {
  const socket = connect({ host: server.address, port: server.port('https'), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  if (certificate === undefined) throw new Error('no certificate is served')
  return certificate
}
