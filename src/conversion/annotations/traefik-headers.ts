/** Traefik's Middleware `headers` (https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/headers/). */
import { isObject, member, ownEntry, scalarText, stringMap, type Json } from '../../kubernetes/json.ts'
import type { HeaderEdit } from '../model/ingress-settings.ts'
import type { Target } from '../model/conversion-options.ts'
import { converted, type Effect } from './entry.ts'

type HeaderOf = (value: string, spec: Json) => readonly [name: string, value: string] | undefined

const whenOn =
  (name: string, header: string): HeaderOf =>
  (value) =>
    value === 'true' ? [name, header] : undefined

/** Members that set one response header. */
const RESPONSE: Readonly<Record<string, HeaderOf>> = {
  stsSeconds: (value, spec) => (value === '0' ? undefined : ['strict-transport-security', sts(value, spec)]),
  frameDeny: whenOn('x-frame-options', 'DENY'),
  customFrameOptionsValue: (value) => ['x-frame-options', value],
  contentTypeNosniff: whenOn('x-content-type-options', 'nosniff'),
  browserXssFilter: whenOn('x-xss-protection', '1; mode=block'),
  customBrowserXSSValue: (value) => ['x-xss-protection', value],
  contentSecurityPolicy: (value) => ['content-security-policy', value],
  contentSecurityPolicyReportOnly: (value) => ['content-security-policy-report-only', value],
  referrerPolicy: (value) => ['referrer-policy', value],
  permissionsPolicy: (value) => ['permissions-policy', value],
}

/** Members that change others, or nothing at a gateway. */
const PARTS = [
  'stsIncludeSubdomains',
  'stsPreload',
  'forceSTSHeader',
  'isDevelopment',
  'customRequestHeaders',
  'customResponseHeaders',
]

function sts(seconds: string, spec: Json): string {
  const isOn = (key: string) => scalarText(member(spec, key)) === 'true'
  return `max-age=${seconds}${isOn('stsIncludeSubdomains') ? '; includeSubDomains' : ''}${isOn('stsPreload') ? '; preload' : ''}`
}

export function middlewareHeaders(spec: Json, target: Target): Effect {
  const members = isObject(spec) ? Object.keys(spec) : []
  const unknown = members.filter((key) => ownEntry(RESPONSE, key) === undefined && !PARTS.includes(key))
  const single = members
    .map((key) => ownEntry(RESPONSE, key)?.(scalarText(member(spec, key)) ?? '', spec))
    .filter((header) => header !== undefined)
  const response = [...single, ...stringMap(member(spec, 'customResponseHeaders'))]
  const request = [...stringMap(member(spec, 'customRequestHeaders'))]
  const bad = [...response, ...request]
    .filter(([name, value]) => !isPrintable(name, value, target))
    .map(([name]) => name)
  const headerChanges = { request: editOf(request, bad), response: editOf(response, bad) }
  const lost = [...unknown, ...bad]
  if (lost.length === 0) return converted({ headerChanges }, 'headers are set and removed')
  return {
    outcome: 'unsupported',
    level: 'error',
    message: `${lost.join(', ')} is not converted: recreate it in headers or corsPolicy of the route`,
    settings: { headerChanges },
  }
}

function isPrintable(name: string, value: string, target: Target): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(name) && !/\p{Cc}/u.test(value) && (target === 'istio' || !value.includes('%'))
}

/** An empty value removes the header. Envoy reads `%` as the start of a format. */
function editOf(headers: readonly (readonly [string, string])[], bad: readonly string[]): HeaderEdit {
  const kept = headers
    .filter(([name]) => !bad.includes(name))
    .map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    set: Object.fromEntries(
      kept.filter(([, value]) => value !== '').map(([name, value]) => [name, value.replaceAll('%', '%%')]),
    ),
    add: {},
    remove: kept.filter(([, value]) => value === '').map(([name]) => name),
  }
}
