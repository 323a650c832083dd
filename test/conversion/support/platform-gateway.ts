/** The shared Gateway of the Gateway API, made as the report's platform steps tell the one who has it to make it. */
import type { ReportLine } from '../../../src/conversion/model/report.ts'
import { isObject, parseJson, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

export const SHARED = 'istio-system/public'

const STEP =
  /^Gateway istio-system\/public needs (?<http>an HTTP listener on port 80)?(?: and )?(?:these listeners: (?<listeners>\[.*\]))?, and must allow routes from namespace \S+$/

/** `[]` where no step asks for a listener. */
export function platformGateway(report: readonly ReportLine[]): readonly JsonObject[] {
  const steps = report.map(({ message }) => STEP.exec(message)?.groups).filter((groups) => groups !== undefined)
  const http = { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }
  const listeners: readonly Json[] = [
    ...(steps.some((step) => step['http'] !== undefined) ? [http] : []),
    ...steps.flatMap((step) => readListeners(step['listeners'])),
  ]
  if (listeners.length === 0) return []
  const [namespace = '', name = ''] = SHARED.split('/')
  const spec = { gatewayClassName: 'istio', listeners }
  return [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { namespace, name }, spec }]
}

function readListeners(text: string | undefined): readonly JsonObject[] {
  const listeners = parseJson(text ?? '[]')
  if (!Array.isArray(listeners)) throw new Error(`no list of listeners: ${text ?? ''}`)
  return (listeners as readonly Json[]).filter(isObject)
}
