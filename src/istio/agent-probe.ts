/**
 * Probes that Istio's agent serves: how the injector rewrites a probe, how to recognise a rewritten one, and when the
 * agent answers differently from the application (`pkg/kube/inject/app_probe.go`,
 * `pilot/cmd/pilot-agent/status/server.go`).
 */
import { isHook, resolvePort, type Check, type Container, type Slot } from '../kubernetes/container.ts'
import type { Handler, NetworkHandler } from '../kubernetes/handler.ts'
import type { PresentSidecar } from './sidecar.ts'
import { isOlderThan, type Version } from './version.ts'

/** The agent's default port. Istio cannot tell it from an application's own 15020. */
const DEFAULT_STATUS_PORT = 15020

const PATHS: Readonly<Record<Slot, readonly [string, string]>> = {
  livenessProbe: ['/app-health/', '/livez'],
  readinessProbe: ['/app-health/', '/readyz'],
  startupProbe: ['/app-health/', '/startupz'],
  preStop: ['/app-lifecycle/', '/prestopz'],
  postStart: ['/app-lifecycle/', '/poststartz'],
}

/** Returns the agent's path for a slot of a container, for example `/app-health/web/livez`. */
export function agentPath(container: string, slot: Slot): string {
  const [before, after] = PATHS[slot]
  return before + container + after
}

/**
 * Whether a handler already targets the agent. Istio's own test compares only the port; this one also requires the path
 * of this container and slot.
 */
export function isAgentProbe(handler: Handler, container: Container, slot: Slot, statusPort: number): boolean {
  if (handler.kind !== 'httpGet' || handler.path !== agentPath(container.name, slot)) return false
  return handler.port === DEFAULT_STATUS_PORT || handler.port === statusPort
}

/**
 * Whether an injector with probe rewriting enabled rewrites a handler of this kind:
 *
 * | handler                  | since |
 * |--------------------------|-------|
 * | httpGet, probe           | 1.1   |
 * | tcpSocket, probe         | 1.12  |
 * | grpc, probe              | 1.13  |
 * | any, init container      | 1.19  |
 * | httpGet, tcpSocket, hook | 1.25  |
 * | exec, sleep              | never |
 */
export function isRewrittenKind(
  handler: Handler,
  container: Container,
  slot: Slot,
  version: Version | undefined,
): boolean {
  if (container.name === 'istio-proxy') return false
  if (container.init && isOlderThan(version, 1, 19)) return false
  if (isHook(slot) && isOlderThan(version, 1, 25)) return false
  switch (handler.kind) {
    case 'httpGet':
      return true
    case 'tcpSocket':
      return !isOlderThan(version, 1, 12)
    case 'grpc':
      return !isHook(slot) && !isOlderThan(version, 1, 13)
    case 'exec':
    case 'sleep':
      return false
  }
}

/**
 * Returns why the agent cannot serve a handler that Istio rewrites; undefined if it can.
 *
 * | first match wins                                    | effect on the rewritten probe or hook                  |
 * |-----------------------------------------------------|--------------------------------------------------------|
 * | status port 0                                       | the API server refuses port 0                          |
 * | another call of the injector replaced it            | the agent has no entry: 400                            |
 * | another listener of the proxy has the status port   | the agent does not listen                              |
 * | the agent listens on another port                   | connection refused                                     |
 * | `host`                                              | kubelet calls that host on the agent's port            |
 * | a port name that the container does not have        | the agent answers 400, which counts as a failure       |
 * | the agent's own port                                | the injector gives the agent no entry: 400             |
 * | a field that the agent does not know                | the agent calls without it                             |
 * | a path that the agent puts into another URL         | the agent asks for another path, or answers 500        |
 * | startup probe of a restartable init container, and a proxy that starts after it | the pod never starts       |
 */
export function agentObstacle(
  handler: NetworkHandler,
  check: Check,
  container: Container,
  { agent, controlPlane, isNative }: Pick<PresentSidecar, 'agent' | 'controlPlane' | 'isNative'>,
): string | undefined {
  if (agent.statusPort === 0) return 'its status port is 0'
  if (agent.isReplaced) return 'a second injection takes its list of probes away'
  if (PROXY_PORTS.includes(agent.statusPort)) return `its status port ${agent.statusPort} is the proxy's own`
  if (agent.listensOn !== agent.statusPort)
    return `it listens on port ${agent.listensOn}, but Istio sends probes to ${agent.statusPort}`
  if (handler.kind !== 'grpc' && handler.host !== '') return `host ${handler.host} is set`
  if (resolvePort(handler.port, container) === undefined) return `no port is named ${handler.port}`
  if (handler.port === controlPlane.statusPort) return `port ${handler.port} is the agent's own port`
  const unknown = unknownToAgent(handler, check)
  if (unknown !== undefined) return `it does not support ${unknown}`
  if (handler.kind === 'httpGet' && !isPlainPath(handler.path)) return `it cannot ask for path ${handler.path}`
  return container.init && container.restartable && check.slot === 'startupProbe' && !isNative
    ? 'the proxy starts after this init container'
    : undefined
}

/** Istio 1.32 uses the API of Kubernetes 1.36. Clear-text HTTP/2 and TLS for gRPC came later. */
function unknownToAgent(handler: NetworkHandler, { unknownFields }: Check): string | undefined {
  if (handler.kind === 'httpGet' && handler.http2) return 'httpGet.protocol: HTTP2'
  if (handler.kind === 'grpc' && handler.tls) return 'grpc.mode: TLS'
  return unknownFields[0]
}

/**
 * Ports of Envoy and of the agent's DNS proxy (https://istio.io/latest/docs/ops/deployment/application-requirements/).
 */
const PROXY_PORTS = [15000, 15001, 15004, 15006, 15008, 15021, 15053, 15090]

/**
 * kubelet parses the path by itself and then sets scheme and host (`pkg/probe/http/request.go` in
 * kubernetes/kubernetes). The agent parses `http://ADDRESS:PORT` followed by the path. The two differ for a path that
 * is itself a URL (`//host/x`, `http://host/x`, `a:b`), and for a path that Go's parser refuses: a `%` without two
 * hexadecimal digits, or a control character.
 */
function isPlainPath(path: string): boolean {
  const [beforeQuery = ''] = path.split('?')
  return !/^\/\/|^[^/?#]*:/.test(path) && !/%(?![\da-f]{2})/i.test(beforeQuery) && !/\p{Cc}/u.test(path)
}
