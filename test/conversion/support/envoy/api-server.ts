/**
 * The API server that hack/conversion/test started, spoken to without kubectl: hundreds of objects are applied in a
 * second. Unknown fields are refused (`fieldValidation=Strict`); an apply is server-side.
 */
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import { parse } from 'yaml'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../../src/kubernetes/json.ts'

export interface ApiServer {
  /** The object as the server keeps it; throws what the server says when it refuses. */
  readonly apply: (object: JsonObject) => Promise<JsonObject>
  /** What the server says against the object; undefined when it would take it. */
  readonly refusal: (object: JsonObject) => Promise<string | undefined>
  readonly remove: (object: JsonObject) => Promise<void>
  readonly get: (object: JsonObject) => Promise<JsonObject>
  readonly close: () => Promise<void>
}

export async function connectApiServer(): Promise<ApiServer> {
  const { url, ca, token } = readKubeconfig()
  const pool = new Pool(url, { connect: { ca }, connections: 8, pipelining: 1 })
  const plurals = new Map<string, Promise<ReadonlyMap<string, { plural: string; isNamespaced: boolean }>>>()

  const send = async (method: 'GET' | 'PATCH' | 'DELETE', path: string, body?: JsonObject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/apply-patch+yaml' }
    const headers = { authorization: `Bearer ${token}`, ...type }
    const response = await pool.request({
      method,
      path,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    return { status: response.statusCode, body: (await response.body.json()) as JsonObject }
  }

  const kindsOf = (apiVersion: string) => {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const known = plurals.get(apiVersion)
    if (known !== undefined) return known
    const read = send('GET', root).then(({ body }) => readKinds(body))
    plurals.set(apiVersion, read)
    return read
  }

  const pathOf = async (object: JsonObject) => {
    const apiVersion = stringMember(object, 'apiVersion') ?? ''
    const resource = (await kindsOf(apiVersion)).get(stringMember(object, 'kind') ?? '')
    if (resource === undefined) throw new Error(`the API server has no ${apiVersion} ${String(object['kind'])}`)
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const namespace = stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
    const name = stringMember(member(object, 'metadata'), 'name') ?? ''
    return `${root}${resource.isNamespaced ? `/namespaces/${namespace}` : ''}/${resource.plural}/${name}`
  }

  const patch = async (object: JsonObject, query = '') =>
    send('PATCH', `${await pathOf(object)}?fieldManager=proof&force=true&fieldValidation=Strict${query}`, object)

  return {
    apply: async (object) => {
      const { status, body } = await patch(object)
      if (status >= 300) throw new Error(`${describe(object)}: ${stringMember(body, 'message') ?? String(status)}`)
      return body
    },
    refusal: async (object) => {
      const { status, body } = await patch(object, '&dryRun=All')
      return status < 300 ? undefined : `${describe(object)}: ${stringMember(body, 'message') ?? String(status)}`
    },
    remove: async (object) => void (await send('DELETE', await pathOf(object))),
    get: async (object) => (await send('GET', await pathOf(object))).body,
    close: () => pool.close(),
  }
}

export function describe(object: JsonObject): string {
  const { namespace, name } = (isObject(object['metadata']) ? object['metadata'] : {}) as Record<string, Json>
  return `${String(object['kind'])} ${String(namespace)}/${String(name)}`
}

function readKinds(list: JsonObject): ReadonlyMap<string, { plural: string; isNamespaced: boolean }> {
  const plain = arrayMember(list, 'resources').filter((entry) => !(stringMember(entry, 'name') ?? '').includes('/'))
  return new Map(
    plain.map((entry) => [
      stringMember(entry, 'kind') ?? '',
      { plural: stringMember(entry, 'name') ?? '', isNamespaced: member(entry, 'namespaced') === true },
    ]),
  )
}

/** The kubeconfig comes under a name of its own, so that no real cluster is used by mistake. */
function readKubeconfig(): { readonly url: string; readonly ca: string; readonly token: string } {
  const file = process.env['ISTIO_ONRAMP_TEST_KUBECONFIG']
  if (file === undefined) throw new Error('no API server: hack/conversion/test starts one')
  const config: unknown = parse(readFileSync(file, 'utf8'))
  const cluster = memberAt(arrayMember(config, 'clusters')[0], 'cluster')
  return {
    url: stringMember(cluster, 'server') ?? '',
    ca: readFileSync(stringMember(cluster, 'certificate-authority') ?? '', 'utf8'),
    token: stringMember(memberAt(arrayMember(config, 'users')[0], 'user'), 'token') ?? '',
  }
}
