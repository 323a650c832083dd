/**
 * Probes that Istio serves by its agent: what the injector turns a probe into, and how to see that it did
 * (spec/istio.md 2.2 to 2.5; `pkg/kube/inject/app_probe.go`).
 */
import { isHook, type Container, type Slot } from '../kubernetes/container.ts'
import type { Handler } from '../kubernetes/handler.ts'
import { isOlderThan, type Version } from './version.ts'

/** The agent's default port; an application's own 15020 looks the same to Istio (spec/istio.md 2.5). */
export const DEFAULT_STATUS_PORT = 15020

const PATHS: Readonly<Record<Slot, readonly [string, string]>> = {
  livenessProbe: ['/app-health/', '/livez'],
  readinessProbe: ['/app-health/', '/readyz'],
  startupProbe: ['/app-health/', '/startupz'],
  preStop: ['/app-lifecycle/', '/prestopz'],
  postStart: ['/app-lifecycle/', '/poststartz'],
}

/** The agent's path for a slot of a container, e.g. `/app-health/web/livez`. */
export function agentPath(container: string, slot: Slot): string {
  const [before, after] = PATHS[slot]
  return before + container + after
}

/**
 * Whether a handler already points at the agent. Stricter than Istio's own test, which looks at the port alone: the path
 * has to be the one of this container and this slot.
 */
export function isAgentProbe(handler: Handler, container: Container, slot: Slot, statusPort: number): boolean {
  if (handler.kind !== 'httpGet' || handler.path !== agentPath(container.name, slot)) return false
  return handler.port === DEFAULT_STATUS_PORT || handler.port === statusPort
}

/**
 * Whether an injector that rewrites probes rewrites a handler of this kind:
 *
 * | handler             | since |
 * |---------------------|-------|
 * | httpGet, probe      | 1.1   |
 * | tcpSocket, probe    | 1.12  |
 * | grpc, probe         | 1.13  |
 * | any, init container | 1.19  |
 * | httpGet, tcpSocket, hook | 1.25 |
 * | exec, sleep         | never |
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
 * The handler after Istio's rewriting: host and headers of an httpGet stay, HTTPS becomes HTTP, everything else is
 * replaced by a bare httpGet.
 */
export function rewrittenByIstio(handler: Handler, container: Container, slot: Slot, statusPort: number): Handler {
  const path = agentPath(container.name, slot)
  if (handler.kind === 'httpGet') return { ...handler, scheme: 'HTTP', path, port: statusPort }
  return { kind: 'httpGet', scheme: 'HTTP', host: '', port: statusPort, path, headers: [] }
}
