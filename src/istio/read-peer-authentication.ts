/** Reads PeerAuthentications (security.istio.io). Istio no longer reads the kinds that preceded them. */
import { REVISION } from './annotations.ts'
import { isObject, member, stringMember, typeName, type Json, type JsonObject } from '../kubernetes/json.ts'
import { readMatchLabels } from '../kubernetes/label-selector.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'
import { isPortNumber } from '../kubernetes/handler.ts'
import { MODES, type DeclaredMode, type PeerAuthentication } from './declared-policy.ts'
import { isProblem, type Problem } from '../kubernetes/problem.ts'

export function readPeerAuthentication(object: JsonObject): PeerAuthentication | Problem {
  const spec = member(object, 'spec') ?? {}
  if (!isObject(spec)) return { field: 'spec', problem: `must be an object, not ${typeName(spec)}` }
  const mode = readMode(member(spec, 'mtls'), 'spec.mtls')
  if (typeof mode === 'object') return mode
  const portLevel = readPorts(member(spec, 'portLevelMtls'))
  if (isProblem(portLevel)) return portLevel
  const matchLabels = readSelector(member(spec, 'selector'))
  if (isProblem(matchLabels)) return matchLabels
  const metadata = metadataOf(object)
  const createdAt = Date.parse(stringMember(metadata, 'creationTimestamp') ?? '')
  return {
    namespace: stringMember(metadata, 'namespace') ?? 'default',
    name: stringMember(metadata, 'name') ?? '',
    createdAt: Number.isNaN(createdAt) ? Infinity : createdAt,
    revision: labelsOf(object).get(REVISION),
    matchLabels,
    mode,
    portLevel,
  }
}

/** Absent, null, `{}` and a null mode are UNSET. */
function readMode(value: Json | undefined, field: string): DeclaredMode | Problem {
  if (value === undefined || value === null) return 'UNSET'
  if (!isObject(value)) return { field, problem: `must be an object, not ${typeName(value)}` }
  const text = member(value, 'mode') ?? 'UNSET'
  const mode = MODES.find((known) => known === text)
  return mode ?? { field: `${field}.mode`, problem: `is ${JSON.stringify(text)}; allowed are ${MODES.join(', ')}` }
}

function readPorts(value: Json | undefined): ReadonlyMap<number, DeclaredMode> | Problem {
  const ports = new Map<number, DeclaredMode>()
  if (value === undefined || value === null) return ports
  if (!isObject(value)) return { field: 'spec.portLevelMtls', problem: `must be an object, not ${typeName(value)}` }
  for (const [key, entry] of Object.entries(value)) {
    const field = `spec.portLevelMtls[${key}]`
    if (!isPortNumber(Number(key))) return { field, problem: 'the key must be a port number from 1 to 65535' }
    const mode = readMode(entry, field)
    if (typeof mode === 'object') return mode
    ports.set(Number(key), mode)
  }
  return ports
}

function readSelector(value: Json | undefined): ReadonlyMap<string, string> | Problem {
  if (value === undefined || value === null) return new Map()
  if (!isObject(value)) return { field: 'spec.selector', problem: `must be an object, not ${typeName(value)}` }
  const labels = readMatchLabels(value)
  return isProblem(labels) ? { ...labels, field: `spec.selector.${labels.field}` } : labels
}
