/**
 * Directives of a snippet that change headers
 * (https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header,
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header,
 * https://github.com/openresty/headers-more-nginx-module#directives).
 */
import type { Target } from '../../model/conversion-options.ts'

export interface HeaderChange {
  readonly side: 'request' | 'response'
  readonly kind: 'set' | 'add' | 'remove'
  /** Lower case. */
  readonly name: string
  readonly value: string
}

/** Returns the header changes of a directive; undefined if they cannot be expressed. An empty list means no change. */
export function headerChangesOf(
  [directive = '', ...given]: readonly string[],
  target: Target,
): readonly HeaderChange[] | undefined {
  const changes = changesOf(directive, given)
  return changes?.every((change) => isPrintable(change, target)) === true ? changes.map(escaped) : undefined
}

function changesOf(directive: string, given: readonly string[]): readonly HeaderChange[] | undefined {
  switch (directive) {
    case 'add_header':
      return added(given)
    case 'more_set_headers':
      return each(given, (text) => setOrRemove('response', text))
    case 'more_set_input_headers':
      return each(given, (text) => setOrRemove('request', text))
    case 'more_clear_headers':
      return each(given, (name) => removal('response', name))
    case 'more_clear_input_headers':
      return each(given, (name) => removal('request', name))
    case 'proxy_hide_header':
      return given.length === 1 ? each(given, (name) => removal('response', name)) : undefined
    case 'proxy_set_header':
      return given.length === 2
        ? each(given.slice(0, 1), (name) => headerValue('request', name, given[1] ?? ''))
        : undefined
    default:
      return undefined
  }
}

/** nginx replaces these two and adds any other header. It sends no header with an empty value. */
const REPLACED = ['etag', 'last-modified']

function added([name, value, always, ...rest]: readonly string[]): readonly HeaderChange[] | undefined {
  if (name === undefined || value === undefined || (always ?? 'always') !== 'always' || rest.length > 0)
    return undefined
  if (REPLACED.includes(name.toLowerCase())) return [headerValue('response', name, value)]
  return value === '' ? [] : [{ side: 'response', kind: 'add', name: name.toLowerCase(), value }]
}

/**
 * Reads several headers in one directive. Its options `-s` and `-t` limit it to some responses, so they are not
 * supported.
 */
function each(
  given: readonly string[],
  read: (text: string) => HeaderChange | undefined,
): readonly HeaderChange[] | undefined {
  const changes = given.map(read).filter((change) => change !== undefined)
  return given.length > 0 && changes.length === given.length ? changes : undefined
}

function setOrRemove(side: HeaderChange['side'], text: string): HeaderChange | undefined {
  const colon = text.indexOf(':')
  const name = (colon === -1 ? text : text.slice(0, colon)).trimEnd()
  const value = colon === -1 ? '' : text.slice(colon + 1).trim()
  return name === '' || /\s/.test(name) ? undefined : headerValue(side, name, value)
}

/** An empty value removes the header. */
function headerValue(side: HeaderChange['side'], name: string, value: string): HeaderChange {
  return { side, kind: value === '' ? 'remove' : 'set', name: name.toLowerCase(), value }
}

function removal(side: HeaderChange['side'], name: string): HeaderChange {
  return { side, kind: 'remove', name: name.toLowerCase(), value: '' }
}

/**
 * Rejects variables, and `*` for several names. Istio passes Gateway API's values to Envoy, which reads `%` as a
 * format.
 */
function isPrintable({ name, value }: HeaderChange, target: Target): boolean {
  if (!/^[a-z0-9!#&'+.^_`|~][a-z0-9!#&'+.^_`|~-]*$/.test(name) || /[$\p{Cc}]/u.test(value)) return false
  return target === 'istio' || !value.includes('%')
}

/** Envoy reads `%` as the start of a format; Istio refuses a single one (`ValidateHTTPHeaderValue`). */
function escaped(change: HeaderChange): HeaderChange {
  return { ...change, value: change.value.replaceAll('%', '%%') }
}
