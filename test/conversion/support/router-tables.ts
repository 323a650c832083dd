/** router-tables.yaml, read: objects, and request lines with the answer that an Istio gateway gives. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import type { RoutedRequest } from './envoy-routes.ts'

export interface RouterCase {
  readonly title: string
  readonly objects: readonly JsonObject[]
  /** Each with its answer as `shortAnswer` writes it. */
  readonly requests: readonly (readonly [RoutedRequest, string])[]
}

interface Written {
  readonly title: string
  readonly objects: readonly JsonObject[]
  readonly requests: readonly string[]
}

export function readRouterTables(): Readonly<Record<'istio' | 'gatewayApi', readonly RouterCase[]>> {
  const written = parse(readFileSync(new URL('router-tables.yaml', import.meta.url), 'utf8')) as Record<
    'istio' | 'gatewayApi',
    readonly Written[]
  >
  const read = (cases: readonly Written[]) =>
    cases.map((entry) => ({ ...entry, requests: entry.requests.map(readRequestLine) }))
  return { istio: read(written.istio), gatewayApi: read(written.gatewayApi) }
}

/** `[METHOD] URL [sni=HOST] [header=value]... -> answer` */
export function readRequestLine(line: string): readonly [RoutedRequest, string] {
  const { groups } =
    /^(?:(?<method>[A-Z]+) )?(?<scheme>https?):\/\/(?<host>[^/]+)(?<path>\/\S*)(?<headers>(?: \S+)*) -> (?<answer>.+)$/.exec(
      line,
    ) ?? {}
  if (groups === undefined) throw new Error(`not a request line: ${line}`)
  const { method, scheme, host = '', path = '', headers = '', answer = '' } = groups
  const pairs = headers.split(' ').filter(Boolean)
  const { sni, ...named } = Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
  const request = {
    host,
    path,
    port: scheme === 'https' ? 443 : 80,
    headers: named,
    ...(sni === undefined ? {} : { serverName: sni }),
  }
  return [method === undefined ? request : { ...request, method }, answer]
}
