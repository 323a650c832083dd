/**
 * Admission webhooks, CRD conversion and aggregated APIs whose server becomes STRICT. The API server has no mesh
 * certificate.
 */
import { EXCLUDE_INBOUND_PORTS } from '../../istio/annotations.ts'
import { describe } from '../../kubernetes/object.ts'
import type { Callback } from '../callback.ts'
import { finding, type Finding } from '../finding.ts'
import type { FindingCode } from '../finding-codes.ts'
import { targetPort } from '../container-port.ts'
import type { ExposedService, ServicePort } from '../service.ts'
import { closedBehind, describeReception, namespacesInScope, reception, type Situation } from '../situation.ts'
import { servicePortOf } from './service-port.ts'

export function* findCallbacks(situation: Situation): Iterable<readonly Finding[]> {
  for (const namespace of namespacesInScope(situation))
    for (const callback of situation.estate.callbacksTo(namespace)) {
      const found = judgeCallback(callback, situation)
      if (found !== undefined) yield [found]
    }
}

function judgeCallback(callback: Callback, situation: Situation): Finding | undefined {
  const { estate } = situation
  const service = estate.service(callback.service.namespace, callback.service.name)
  const servicePort = service && servicePortOf(service, callback.service.port)
  if (service === undefined || servicePort === undefined) return undefined
  const shared = { object: callback.object, about: callback.entry, scope: callback.service.namespace }
  const closed = closedBehind(service, servicePort, situation)
  if (closed !== undefined)
    return finding(codeOf(callback), {
      ...shared,
      port: closed.port,
      message: `${subject(callback)} calls Service ${service.namespace}/${service.name}:${callback.service.port}, which targets ${describe(closed.workload.reference)}, and ${describeReception(closed.port, closed.decision)}: ${consequence(callback)}.`,
      fix: fixOf(closed.port),
    })
  if (!isDeclaredHttp(servicePort) || !isOpenBehind(service, servicePort, situation)) return undefined
  return finding('webhook-port-declared-http', {
    ...shared,
    port: servicePort.port,
    message: `${subject(callback)} calls Service ${service.namespace}/${service.name}:${servicePort.port} with TLS, but the Service declares that port as HTTP: the call fails in every mode.`,
    fix: `kubectl -n ${service.namespace} patch service ${service.name} --type=merge: rename port ${servicePort.port} to https, or set its appProtocol to https.`,
  })
}

function isDeclaredHttp({ protocol }: ServicePort): boolean {
  return protocol === 'http' || protocol === 'http2'
}

/** Whether a sidecar accepts plain text to the port, and so reads the connection as HTTP. */
function isOpenBehind(service: ExposedService, servicePort: ServicePort, situation: Situation): boolean {
  return situation.estate.selectedBy(service).some(({ units }) =>
    units.some((unit) => {
      const port = targetPort(servicePort, unit)
      return unit.mesh.kind === 'sidecar' && port !== undefined && reception(unit, port, situation).kind === 'open'
    }),
  )
}

function codeOf({ kind, isForPods, failurePolicy }: Callback): FindingCode {
  if (kind === 'conversion') return 'conversion-webhook-unreachable'
  if (kind === 'aggregation') return 'api-service-unreachable'
  return isForPods && failurePolicy === 'Fail' ? 'webhook-blocks-pods' : 'webhook-unreachable'
}

function subject({ object, entry }: Callback): string {
  return entry === ''
    ? `The API server, for ${object.kind} ${object.name},`
    : `The API server, for webhook ${entry} of ${object.name},`
}

function consequence({ kind, isForPods, failurePolicy }: Callback): string {
  if (kind === 'conversion')
    return 'about 45 s after the switch conversions fail, and so does every read and write that needs one'
  if (kind === 'aggregation') return 'about 20 s after the switch the API is unavailable'
  if (failurePolicy === 'Ignore') return 'about 45 s after the switch requests skip it'
  return isForPods
    ? 'about 45 s after the switch no pod can be created'
    : 'about 45 s after the switch the requests that it reviews are refused'
}

function fixOf(port: number): string {
  return `Add the annotation ${EXCLUDE_INBOUND_PORTS}: "${port}" to the pod template of the server, or apply a PeerAuthentication for it with portLevelMtls: {"${port}": {mode: PERMISSIVE}}.`
}
