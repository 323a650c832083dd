/** Containers with their ports, probes and lifecycle hooks, each with its JSON Pointer. */
import {
  HANDLER_KINDS,
  handlerKinds,
  isPortNumber,
  readHandler,
  unknownFieldsOf,
  unknownKeys,
  type Handler,
  type HandlerKind,
  type PortReference,
} from './handler.ts'
import { arrayMember, isObject, member, stringMember, typeName, type Json, type JsonObject } from './json.ts'
import { pointer } from './json-pointer.ts'
import type { Problem } from './problem.ts'

const PROBE_SLOTS = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
const HOOK_SLOTS = ['preStop', 'postStart'] as const
export const SLOTS = [...PROBE_SLOTS, ...HOOK_SLOTS] as const
export type Slot = (typeof SLOTS)[number]

export function isHook(slot: Slot): boolean {
  return slot === 'preStop' || slot === 'postStart'
}

/** A probe or hook. `raw` is the object at `pointer`, as in the manifest. */
export interface Check {
  readonly slot: Slot
  readonly pointer: string
  readonly raw: JsonObject
  /** Every handler that is set; a valid object has exactly one. */
  readonly kinds: readonly HandlerKind[]
  /** The only handler, or the problem with it. */
  readonly handler: Handler | Problem
  /** Seconds; the API server's default is 1. Hooks have none. */
  readonly timeoutSeconds: number
  /** Fields that this version does not know, from a later Kubernetes, relative to `pointer`. */
  readonly unknownFields: readonly string[]
}

export interface Container {
  readonly name: string
  readonly init: boolean
  /** A native sidecar: an init container with `restartPolicy: Always`. */
  readonly restartable: boolean
  readonly pointer: string
  readonly raw: JsonObject
  readonly checks: readonly Check[]
}

/** Reads `containers` or `initContainers`. An entry that is not an object, or has no name, is reported and skipped. */
export function readContainers(
  spec: JsonObject,
  specPointer: string,
  list: 'containers' | 'initContainers',
): { readonly containers: readonly Container[]; readonly malformed: readonly Problem[] } {
  const containers: Container[] = []
  const malformed: Problem[] = []
  for (const [index, raw] of arrayMember(spec, list).entries()) {
    const name = stringMember(raw, 'name')
    if (isObject(raw) && name !== undefined && name !== '')
      containers.push(readContainer(raw, name, pointer(specPointer, list, index), list === 'initContainers'))
    else malformed.push(nameless(raw, `${list}[${index}]`))
  }
  return { containers, malformed }
}

function nameless(raw: Json, field: string): Problem {
  if (!isObject(raw)) return { field, problem: `must be an object, not ${typeName(raw)}` }
  return { field: `${field}.name`, problem: 'a container name is required' }
}

function readContainer(raw: JsonObject, name: string, at: string, init: boolean): Container {
  const lifecycle = member(raw, 'lifecycle')
  const checks: Check[] = []
  for (const slot of PROBE_SLOTS) addCheck(checks, slot, member(raw, slot), at)
  if (isObject(lifecycle))
    for (const slot of HOOK_SLOTS) addCheck(checks, slot, member(lifecycle, slot), `${at}/lifecycle`)
  return { name, init, restartable: stringMember(raw, 'restartPolicy') === 'Always', pointer: at, raw, checks }
}

function addCheck(checks: Check[], slot: Slot, raw: Json | undefined, parent: string): void {
  if (raw === undefined || raw === null) return
  const at = pointer(parent, slot)
  if (isObject(raw)) checks.push(readCheck(slot, raw, at))
  else
    checks.push({
      slot,
      pointer: at,
      raw: {},
      kinds: [],
      handler: { field: '', problem: `must be an object, not ${typeName(raw)}` },
      timeoutSeconds: 1,
      unknownFields: [],
    })
}

function readCheck(slot: Slot, raw: JsonObject, at: string): Check {
  const kinds = handlerKinds(raw)
  const timeout = member(raw, 'timeoutSeconds')
  const timeoutSeconds = typeof timeout === 'number' && timeout > 0 ? timeout : 1
  const handler = onlyHandler(raw, kinds)
  return { slot, pointer: at, raw, kinds, handler, timeoutSeconds, unknownFields: unknownFields(slot, raw, kinds) }
}

/** The fields of core/v1 Probe other than its handler. */
const PROBE_FIELDS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'terminationGracePeriodSeconds',
]

function unknownFields(slot: Slot, raw: JsonObject, kinds: readonly HandlerKind[]): readonly string[] {
  const known: readonly string[] = isHook(slot) ? HANDLER_KINDS : [...HANDLER_KINDS, ...PROBE_FIELDS]
  const beside = unknownKeys(raw, known)
  const inside = kinds.flatMap((kind) => {
    const value = member(raw, kind)
    if (kind === 'exec' || kind === 'sleep' || !isObject(value)) return []
    const isProbeOnly = isHook(slot) && member(value, 'protocol') === 'HTTP2'
    return [...unknownFieldsOf(kind, value), ...(isProbeOnly ? ['httpGet.protocol: "HTTP2"'] : [])]
  })
  return [...beside, ...inside]
}

function onlyHandler(raw: JsonObject, kinds: readonly HandlerKind[]): Handler | Problem {
  const [kind, second] = kinds
  if (kind === undefined) return { field: '', problem: 'has no handler; exactly one is required' }
  if (second !== undefined) return { field: '', problem: `has ${kinds.join(' and ')}; only one handler is allowed` }
  return readHandler(kind, member(raw, kind))
}

/**
 * Resolves the port of a handler. A name is looked up among the ports of the same container only, as kubelet does;
 * undefined if there is no such name. If two ports share a name, Istio uses the last and kubelet the first; the API
 * server refuses such a container.
 */
export function resolvePort(port: PortReference, container: Container): number | undefined {
  if (typeof port === 'number') return port
  const named = arrayMember(container.raw, 'ports').find((entry) => member(entry, 'name') === port)
  const number = member(named, 'containerPort')
  return isPortNumber(number) ? number : undefined
}
