/** What the fields of a line mean: its direction, whether it was mutual TLS, its addresses and its time. */
import type { LogFields } from './log-format.ts'

/** `mesh`: mutual TLS. `unknown`: the format does not say. */
export type Security = 'mesh' | 'plain' | 'unknown'

/**
 * | upstream cluster                  | a connection to the pod                                                       |
 * |-----------------------------------|-------------------------------------------------------------------------------|
 * | `inbound|8080||`                  | yes                                                                           |
 * | `InboundPassthroughCluster`       | yes: a port that is in no Service                                             |
 * | `-`, `filter_chain_not_found`     | yes: STRICT refused it                                                        |
 * | anything else                     | no                                                                            |
 */
export function isInbound({ cluster = '', details }: LogFields): boolean {
  if (cluster.startsWith('inbound|') || cluster.startsWith('InboundPassthroughCluster')) return true
  return (cluster === '-' || cluster === '') && details === 'filter_chain_not_found'
}

/**
 * Mesh clients begin mutual TLS with an SNI such as `outbound_.8080_._.web.shop.svc.cluster.local`
 * (istio `pilot/pkg/model`, `BuildDNSSrvSubsetKey`).
 */
export function securityOf({ mtls, peer, serverName }: LogFields): Security {
  if (mtls === 'true' || peer?.startsWith('spiffe://') === true) return 'mesh'
  if (serverName?.startsWith('outbound_') === true) return 'mesh'
  return (mtls ?? peer ?? serverName) === undefined ? 'unknown' : 'plain'
}

/** Returns an empty text for a value that Envoy lacks. */
export function given(text: string | undefined): string {
  return text === undefined || text === '-' ? '' : text
}

export interface Endpoint {
  readonly address: string
  /** -1 without a port. */
  readonly port: number
}

/** Splits `10.1.0.9:40000`, `[fd00::9]:40000` and addresses without a port. */
export function splitEndpoint(text: string, separatePort = '-1'): Endpoint {
  if (text === '-' || text.includes('//')) return { address: '', port: -1 }
  const colon = text.lastIndexOf(':')
  const isBracketed = text.startsWith('[')
  const hasPort = isBracketed ? text.charAt(colon - 1) === ']' : colon !== -1 && text.indexOf(':') === colon
  const port = hasPort ? Number(text.slice(colon + 1)) : Number(separatePort)
  const address = hasPort ? text.slice(0, colon) : text
  return { address: isBracketed ? address.slice(1, address.indexOf(']')) : address, port }
}

/** The proxy's own calls to its application come from 127.0.0.6 or ::6. */
export function isLoopback(address: string): boolean {
  return address === '' || address.startsWith('127.') || address === '::1' || address === '::6'
}

/** Milliseconds since 1970 of an ISO time, or of seconds with or without decimals; NaN for other formats. */
export function timeOf(text: string | undefined): number {
  if (text === undefined) return Number.NaN
  return /^\d{9,11}(?:\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
}

export interface Span {
  first: number
  last: number
}

/** Extends the span; a time that is NaN changes nothing. */
export function include(span: Span, time: number): void {
  if (Number.isNaN(time)) return
  if (!(span.first <= time)) span.first = time
  if (!(span.last >= time)) span.last = time
}
