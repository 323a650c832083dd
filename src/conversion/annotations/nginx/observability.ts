/** ingress-nginx: logs, traces and metrics. */
import { notNeeded, partOf, type AnnotationTable } from '../entry.ts'
import { nginxTable } from './guard.ts'

const LOGS = 'access logs are configured for the mesh: Telemetry, meshConfig.accessLogFile'

const TRACES = 'traces are configured for the mesh: Telemetry, meshConfig.defaultConfig.tracing'

export const NGINX_OBSERVABILITY: AnnotationTable = nginxTable({
  'enable-access-log': notNeeded(LOGS),
  'enable-rewrite-log': notNeeded(LOGS),
  'enable-opentelemetry': notNeeded(TRACES),
  'opentelemetry-operation-name': notNeeded(TRACES),
  'opentelemetry-trust-incoming-span': notNeeded(TRACES),
  'enable-opentracing': notNeeded(TRACES),
  'opentracing-trust-incoming-span': notNeeded(TRACES),
  'enable-influxdb': notNeeded('ingress-nginx removed it'),
  'influxdb-measurement': partOf('enable-influxdb'),
  'influxdb-port': partOf('enable-influxdb'),
  'influxdb-host': partOf('enable-influxdb'),
  'influxdb-server-name': partOf('enable-influxdb'),
})
