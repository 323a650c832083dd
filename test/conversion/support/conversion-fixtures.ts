/** Ingresses in a line, and what a conversion makes of them. */
import {
  DEFAULT_GATEWAY,
  type ConversionOptions,
  type GatewaySettings,
} from '../../../src/conversion/model/conversion-options.ts'
import { DEFAULT_GATEWAY_API, type GatewayApiSettings } from '../../../src/conversion/model/gateway-api-settings.ts'
import { convertIngresses, type Conversion } from '../../../src/conversion/convert-ingresses.ts'
import type { ReportLine } from '../../../src/conversion/model/report.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'

export type Annotations = Readonly<Record<string, string>>

export interface IngressText {
  readonly namespace?: string
  readonly name?: string
  readonly className?: string
  readonly annotations?: Annotations
  readonly host?: string
  /** Each leads to Service `web`, port 80, unless it says more. */
  readonly paths?: readonly (string | PathText)[]
  readonly secret?: string
  readonly tlsHosts?: readonly string[]
  readonly spec?: JsonObject
}

export interface PathText {
  readonly path: string
  readonly type?: string
  readonly service?: string
  readonly port?: number | string
}

export function ingress(text: IngressText): JsonObject {
  const {
    namespace = 'shop',
    name = 'web',
    className = 'nginx',
    annotations = {},
    host = 'a.example.com',
    secret,
  } = text
  const tls = secret === undefined ? {} : { tls: [{ hosts: text.tlsHosts ?? [host], secretName: secret }] }
  const paths = (text.paths ?? ['/']).map((one) => pathObject(typeof one === 'string' ? { path: one } : one))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name, annotations },
    spec: { ingressClassName: className, rules: [{ host, http: { paths } }], ...tls, ...text.spec },
  }
}

function pathObject({ path, type = 'ImplementationSpecific', service = 'web', port = 80 }: PathText): JsonObject {
  return {
    path,
    pathType: type,
    backend: { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } },
  }
}

export function convert(
  ingresses: readonly JsonObject[],
  target: ConversionOptions['target'] = 'istio',
  gateway: Partial<GatewaySettings> = {},
  gateways: readonly JsonObject[] = [],
  controllerSettings?: ReadonlyMap<string, string>,
): Conversion {
  return convertIngresses(ingresses, {
    target,
    gateway: { ...DEFAULT_GATEWAY, ...gateway },
    portNumber: (_, service, port) => (service === 'web' && port === 'http' ? 8080 : undefined),
    controllerOf: () => undefined,
    gateways: () => gateways,
    ...(controllerSettings === undefined ? {} : { controllerSettings }),
  })
}

/** Converts to the Gateway API, with the features of a cluster that has less than the newest. */
export function convertTo(
  gatewayApi: Partial<GatewayApiSettings>,
  ingresses: readonly JsonObject[],
  gateway: Partial<GatewaySettings> = {},
): Conversion {
  return convertIngresses(ingresses, {
    target: 'gateway-api',
    gatewayApi: { ...DEFAULT_GATEWAY_API, ...gatewayApi },
    gateway: { ...DEFAULT_GATEWAY, ...gateway },
    portNumber: () => undefined,
    controllerOf: () => undefined,
  })
}

export function reportOf(
  ingresses: readonly JsonObject[],
  target: ConversionOptions['target'] = 'istio',
): readonly ReportLine[] {
  return convert(ingresses, target).report
}

export function ofKind(conversion: Conversion, kind: string): readonly JsonObject[] {
  return conversion.objects.filter((object) => object['kind'] === kind)
}
