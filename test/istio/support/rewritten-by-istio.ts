/** The probe that Istio's injector makes of one (`pkg/kube/inject/app_probe.go`); `test/oracle` asks Istio's own code. */
import { agentPath } from '../../../src/istio/agent-probe.ts'
import type { Slot } from '../../../src/kubernetes/container.ts'
import type { Handler } from '../../../src/kubernetes/handler.ts'

/** The host and the headers of an httpGet stay and HTTPS becomes HTTP; every other handler becomes a bare httpGet. */
export function rewrittenByIstio(handler: Handler, container: string, slot: Slot, statusPort: number): Handler {
  const path = agentPath(container, slot)
  if (handler.kind === 'httpGet') return { ...handler, scheme: 'HTTP', path, port: statusPort }
  return { kind: 'httpGet', scheme: 'HTTP', host: '', port: statusPort, path, headers: [], http2: false }
}
