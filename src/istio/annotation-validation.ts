/**
 * Annotations whose bad values make the injector refuse the pod. Istio then denies its creation, so no decision here
 * matters (docs/facts/injection.md#istiods-own-decision, docs/facts/injection.md#rejected-pods;
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
import { readPrefix } from '../kubernetes/ip-address.ts'
import { isUint32, parseBool, parsePort, parsePorts } from './go-values.ts'

const INTERFACE_NAME = /^[a-zA-Z][a-zA-Z0-9_.-]*$/
const QUANTITY = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|n|u|[eE][+-]?\d+)?$/

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

/** Returns the first annotation that the injector refuses, as `key: "value"`; undefined if it accepts them all. */
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

/** Splits on commas without trimming. Each entry needs a prefix length (`netip.ParsePrefix`). */
function isCidrList(value: string): boolean {
  return value === '' || value.split(',').every((text) => readPrefix(text) !== undefined)
}

/** `pkg/util/net/ip.go` ValidateInterfaceNames. */
function isInterfaceList(value: string): boolean {
  if (value === '') return true
  return value
    .split(',')
    .map((name) => name.trim())
    .every((name) => name.length >= 1 && name.length <= 15 && INTERFACE_NAME.test(name))
}
