/** The annotations that injection templates leave on a pod (spec/istio.md 3.6, `files/injection-template.yaml`). */
import type { Injector, InterceptionMode, MergedTemplates } from './control-plane.ts'
import { REWRITE, STATUS_PORT } from './rewriting.ts'

const INCLUDE_INBOUND = 'traffic.sidecar.istio.io/includeInboundPorts'
const EXCLUDE_INBOUND = 'traffic.sidecar.istio.io/excludeInboundPorts'
const INTERCEPTION = 'sidecar.istio.io/interceptionMode'

/** With CNI the template writes its choices down as annotations, which a second injector takes for the pod's own. */
export function annotationsAfter(
  before: ReadonlyMap<string, string>,
  injector: Injector,
  effect: MergedTemplates,
  mode: InterceptionMode,
): ReadonlyMap<string, string> {
  const after = new Map(before)
  if (effect.rewriteAnnotation !== undefined) after.set(REWRITE, effect.rewriteAnnotation)
  if (!injector.cni || !effect.redirects) return after
  after.set(INTERCEPTION, mode)
  after.set(INCLUDE_INBOUND, before.get(INCLUDE_INBOUND) ?? injector.includeInboundPorts)
  const excluded = before.get(EXCLUDE_INBOUND) ?? injector.excludeInboundPorts
  const status = before.get(STATUS_PORT) ?? injector.statusPort
  return after.set(EXCLUDE_INBOUND, withPort(excluded, status))
}

/** The template function `excludeInboundPort`: adds the status port unless it is there or is 0. */
function withPort(ports: string, port: string): string {
  const status = port.trim()
  if (status === '' || status === '0' || ports.split(',').includes(status)) return ports
  const present = ports.split(',').map((text) => text.trim())
  return [...present.filter((text) => text !== ''), status].join(',')
}
