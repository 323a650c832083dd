/**
 * Annotations whose bad values make the injector refuse the pod: its creation is denied in Istio's name, so nothing of ours
 * matters any more (docs/facts/injection.md#istiods-own-decision, docs/facts/injection.md#rejected-pods;
 * `pkg/kube/inject/validate.go`).
 */
import {
  EXCLUDE_INBOUND_PORTS,
  EXCLUDE_INTERFACES,
  EXCLUDE_OUTBOUND_IP_RANGES,
  EXCLUDE_OUTBOUND_PORTS,
  INCLUDE_INBOUND_PORTS,
  INCLUDE_OUTBOUND_IP_RANGES,
  INTERCEPTION_MODE,
  KUBEVIRT_INTERFACES,
  MERGE_METRICS,
  REROUTE_VIRTUAL_INTERFACES,
  STATUS_PORT,
} from './annotations.ts'
import { isUint32, parseBool, parsePort, parsePorts } from './go-values.ts'

const INTERFACE_NAME = /^[a-zA-Z][a-zA-Z0-9_.-]*$/
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|n|u|[eE][+-]?\d+)?$/

const VALIDATORS: ReadonlyMap<string, (value: string) => boolean> = new Map([
  [INTERCEPTION_MODE, (value: string) => ['REDIRECT', 'TPROXY', 'NONE'].includes(value)],
  [STATUS_PORT, (value: string) => parsePort(value) !== undefined],
  ['readiness.status.sidecar.istio.io/initialDelaySeconds', isUint32],
  ['readiness.status.sidecar.istio.io/periodSeconds', isUint32],
  ['readiness.status.sidecar.istio.io/failureThreshold', isUint32],
  [INCLUDE_OUTBOUND_IP_RANGES, (value: string) => value === '*' || isCidrList(value)],
  [EXCLUDE_OUTBOUND_IP_RANGES, isCidrList],
  [INCLUDE_INBOUND_PORTS, (value: string) => value === '*' || isPortList(value)],
  [EXCLUDE_INBOUND_PORTS, isPortList],
  [EXCLUDE_OUTBOUND_PORTS, isPortList],
  [EXCLUDE_INTERFACES, isInterfaceList],
  [KUBEVIRT_INTERFACES, isInterfaceList],
  [REROUTE_VIRTUAL_INTERFACES, isInterfaceList],
  [MERGE_METRICS, (value: string) => parseBool(value) !== undefined],
  ['sidecar.istio.io/proxyCPU', (value: string) => QUANTITY.test(value)],
  ['sidecar.istio.io/proxyMemory', (value: string) => QUANTITY.test(value)],
  ['sidecar.istio.io/proxyCPULimit', (value: string) => QUANTITY.test(value)],
  ['sidecar.istio.io/proxyMemoryLimit', (value: string) => QUANTITY.test(value)],
])

/** The first annotation that the injector refuses, as `key: "value"`; undefined where it accepts them all. */
export function refusedAnnotation(annotations: ReadonlyMap<string, string>): string | undefined {
  for (const [key, value] of annotations) {
    const isValid = VALIDATORS.get(key)
    if (isValid !== undefined && !isValid(value)) return `${key}: ${JSON.stringify(value)}`
  }
  return undefined
}

function isPortList(value: string): boolean {
  return parsePorts(value) !== undefined
}

/** Split on commas without trimming; each needs a prefix length (`netip.ParsePrefix`). */
export function isCidrList(value: string): boolean {
  return value === '' || value.split(',').every(isCidr)
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^(0|[1-9]\d*)$/.test(bits)) return false
  return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128
}

function isIPv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

/** Hexadecimal groups, at most one `::`, an IPv4 tail allowed; zones are refused (`netip.ParsePrefix`). */
function isIPv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2 || !text.includes(':')) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const tail = groups.at(-1) ?? ''
  const hasIPv4Tail = tail.includes('.')
  if (hasIPv4Tail && !isIPv4(tail)) return false
  const hex = hasIPv4Tail ? groups.slice(0, -1) : groups
  const count = hex.length + (hasIPv4Tail ? 2 : 0)
  return hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? count < 8 : count === 8)
}

/** `pkg/util/net/ip.go` ValidateInterfaceNames. */
function isInterfaceList(value: string): boolean {
  if (value === '') return true
  return value
    .split(',')
    .map((name) => name.trim())
    .every((name) => name.length >= 1 && name.length <= 15 && INTERFACE_NAME.test(name))
}
