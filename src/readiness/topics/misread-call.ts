/**
 * Calls that fail in PERMISSIVE already, because a sidecar waits for bytes that do not come or reads them wrongly
 * (docs/facts/mtls-modes.md#filter-chains).
 */
import { describe } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { finding, type Finding } from '../finding.ts'
import { outboundRoute } from '../outbound.ts'
import { targetPort } from '../container-port.ts'
import { reception, type Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { addressesOf, common, destination, dialledPort } from './call-facts.ts'

/** Ports of protocols in which the server speaks first. */
const SERVER_FIRST: ReadonlyMap<number, string> = new Map([
  [21, 'FTP'],
  [22, 'SSH'],
  [23, 'Telnet'],
  [25, 'SMTP'],
  [110, 'POP3'],
  [119, 'NNTP'],
  [143, 'IMAP'],
  [587, 'SMTP'],
  [2525, 'SMTP'],
  [3306, 'MySQL'],
  [4222, 'NATS'],
  [5900, 'VNC'],
])
/** The first word of a port's name. */
const SERVER_FIRST_NAMES: ReadonlyMap<string, string> = new Map([
  ['ftp', 'FTP'],
  ['imap', 'IMAP'],
  ['mariadb', 'MySQL'],
  ['mysql', 'MySQL'],
  ['nats', 'NATS'],
  ['pop3', 'POP3'],
  ['sftp', 'SSH'],
  ['smtp', 'SMTP'],
  ['ssh', 'SSH'],
  ['vnc', 'VNC'],
])

/**
 * A plain-text call whose first bytes do not tell the sidecar of the server what it is:
 *
 * | the client sends                    | port declared TCP: DISABLE / PERMISSIVE | any other port: DISABLE / PERMISSIVE |
 * |-------------------------------------|-----------------------------------------|--------------------------------------|
 * | nothing, the server speaks first    | works / hangs                           | hangs / hangs                        |
 * | fewer than five bytes               | works / hangs                           | hangs / hangs                        |
 */
export function hangingCall(call: Call, situation: Situation): readonly Finding[] {
  for (const workload of call.target.workloads)
    for (const unit of workload.units) {
      const port = dialledPort(call, unit)
      const why = port === undefined ? undefined : silence(call, port)
      if (port === undefined || why === undefined || unit.mesh.kind !== 'sidecar') continue
      const found = reception(unit, port, situation)
      if (
        found.kind !== 'open' ||
        (found.decision.mode === 'DISABLE' && isDeclaredTcp(workload, unit, port, situation))
      )
        continue
      return [hanging(call, port, workload, why)]
    }
  return []
}

/**
 * The caller's own sidecar waits likewise, unless the Service declares the port as TCP
 * (https://istio.io/latest/docs/ops/deployment/application-requirements/#server-first-protocols).
 */
export function hangingMeshCall(call: Call): readonly Finding[] {
  const { service, servicePort } = call.target
  if (service === undefined || servicePort === undefined || servicePort.protocol === 'tcp') return []
  const why = silence(call, typeof servicePort.target === 'number' ? servicePort.target : servicePort.port)
  if (why === undefined) return []
  const { port } = servicePort
  return [
    finding('server-first-hangs', {
      ...common(call, port),
      message: `${describe(call.caller.reference)} calls ${destination(call)}: ${why}, but Service ${service.namespace}/${service.name} does not declare port ${port} as TCP, so the caller's sidecar waits, and the connection hangs in every mode.`,
      fix: `Set appProtocol: tcp for port ${port} of Service ${service.namespace}/${service.name}, or let the port's name begin with tcp-.`,
    }),
  ]
}

/** Why the server's sidecar waits; undefined if the client sends enough. */
function silence({ target: { servicePort }, isShort }: Call, port: number): string | undefined {
  if (isShort) return 'the client sends fewer than five bytes'
  const protocol =
    SERVER_FIRST_NAMES.get(servicePort?.name.split('-')[0]?.toLowerCase() ?? '') ??
    SERVER_FIRST.get(port) ??
    SERVER_FIRST.get(servicePort?.port ?? 0)
  return protocol === undefined ? undefined : `in ${protocol} the server speaks first`
}

function isDeclaredTcp(workload: Workload, unit: Unit, port: number, { estate }: Situation): boolean {
  return estate
    .servicesSelecting(workload)
    .some(({ ports }) => ports.some((entry) => entry.protocol === 'tcp' && targetPort(entry, unit) === port))
}

function hanging(call: Call, port: number, workload: Workload, why: string): Finding {
  const caller = describe(call.caller.reference)
  const way = call.caller.units.some((unit) => unit.mesh.kind === 'sidecar')
    ? 'passes by its sidecar'
    : 'has no sidecar'
  return finding('server-first-hangs', {
    ...common(call, port),
    message: `${caller} ${way} and calls ${destination(call)}: ${why}, so the sidecar of ${describe(workload.reference)} waits, and the connection hangs even in PERMISSIVE.`,
    fix: `Send the call through the mesh (a sidecar for ${caller}), or declare port ${port} as TCP in its Service (appProtocol: tcp) and set it to DISABLE.`,
  })
}

/** A sidecar on either side reads the TLS handshake as HTTP. */
export function tlsToHttp(call: Call, unit: Unit, situation: Situation): readonly Finding[] {
  const { servicePort, workloads } = call.target
  if (!call.isTls || servicePort === undefined || call.by === 'pod-ip') return []
  if (servicePort.protocol !== 'http' && servicePort.protocol !== 'http2') return []
  const isRedirected =
    unit.mesh.kind === 'sidecar' && outboundRoute(unit, call.container, addressesOf(call), call.port) === 'redirected'
  const server = workloads.find(({ units }) => units.some((one) => readsInbound(call, one, situation)))
  if (!isRedirected && server === undefined) return []
  const { service } = call.target
  const reader = isRedirected
    ? 'its own sidecar'
    : `the sidecar of ${server === undefined ? '' : describe(server.reference)}`
  return [
    finding('tls-to-http-port', {
      ...common(call, servicePort.port),
      message: `${describe(call.caller.reference)} calls ${destination(call)} with TLS, but the Service declares port ${servicePort.port} as HTTP, so ${reader} refuses the handshake, STRICT or not.`,
      fix: `Rename port ${servicePort.port} of Service ${service?.namespace ?? ''}/${service?.name ?? ''} to https, or set its appProtocol to https.`,
    }),
  ]
}

function readsInbound(call: Call, unit: Unit, situation: Situation): boolean {
  const port = dialledPort(call, unit)
  return unit.mesh.kind === 'sidecar' && port !== undefined && reception(unit, port, situation).kind === 'open'
}
