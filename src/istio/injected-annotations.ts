/**
 * The annotations that injection templates add to a pod (docs/facts/injection.md#injected-labels-and-annotations,
 * `files/injection-template.yaml`).
 */
import {
  EXCLUDE_INBOUND_PORTS,
  INCLUDE_INBOUND_PORTS,
  INTERCEPTION_MODE,
  REWRITE_PROBES,
  STATUS_PORT,
} from './annotations.ts'
import type { Injector, InterceptionMode, MergedTemplates } from './control-plane.ts'

/** With CNI the template records its choices as annotations, which a second injector reads as the pod's own. */
export function annotationsAfter(
  before: ReadonlyMap<string, string>,
  injector: Injector,
  effect: MergedTemplates,
  mode: InterceptionMode,
): ReadonlyMap<string, string> {
  const after = new Map(before)
  if (effect.rewriteAnnotation !== undefined) after.set(REWRITE_PROBES, effect.rewriteAnnotation)
  if (!injector.cni || !effect.redirects) return after
  after.set(INTERCEPTION_MODE, mode)
  after.set(INCLUDE_INBOUND_PORTS, before.get(INCLUDE_INBOUND_PORTS) ?? injector.includeInboundPorts)
  const excluded = before.get(EXCLUDE_INBOUND_PORTS) ?? injector.excludeInboundPorts
  const status = before.get(STATUS_PORT) ?? injector.statusPort
  return after.set(EXCLUDE_INBOUND_PORTS, withPort(excluded, status))
}

/** The template function `excludeInboundPort`: adds the status port unless it is listed already or is 0. */
function withPort(ports: string, port: string): string {
  const status = port.trim()
  if (status === '' || status === '0' || ports.split(',').includes(status)) return ports
  const present = ports.split(',').map((text) => text.trim())
  return [...present.filter((text) => text !== ''), status].join(',')
}
