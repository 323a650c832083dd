import type { ExposedService, ServicePort } from '../service.ts'

/** Finds a Service port by number or by name. */
export function servicePortOf({ ports }: ExposedService, port: number | string | undefined): ServicePort | undefined {
  return ports.find((entry) => (typeof port === 'number' ? entry.port === port : entry.name === port))
}
