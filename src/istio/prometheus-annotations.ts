/**
 * Scrape annotations with which the injector refuses a pod if it merges metrics
 * (docs/facts/injection.md#prometheus-merge; `pkg/kube/inject/webhook.go` applyPrometheusMerge,
 * `pilot/cmd/pilot-agent/status/server.go` istioReservedPorts).
 */
import { MERGE_METRICS } from './annotations.ts'
import { parseBool, parseInteger } from './go-values.ts'

const RESERVED_PORTS = new Set([15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090])

/** Returns the refused annotation, as `key: "value"`; undefined if none is refused. */
export function refusedScrapeAnnotation(
  annotations: ReadonlyMap<string, string>,
  statusPort: number,
  mergesByDefault: boolean,
): string | undefined {
  if (!isScraped(annotations) || !isMerged(annotations, mergesByDefault)) return undefined
  const port = find(annotations, 'prometheus_io_port')
  if (port?.value === String(statusPort)) return undefined
  const targets = find(annotations, 'prometheus_istio_io_scrape_targets')
  const ports = targets === undefined ? [] : (parseTargets(targets.value) ?? [])
  if (targets !== undefined && ports.length > 0)
    return ports.some((text) => isRefused(text, statusPort)) ? show(targets) : undefined
  return port !== undefined && port.value !== '' && isRefused(port.value, statusPort) ? show(port) : undefined
}

/**
 * Returns the annotations after the injector has pointed scrapers at its agent. A second injector with another status
 * port then refuses them.
 */
export function mergedScrapeAnnotations(
  annotations: ReadonlyMap<string, string>,
  statusPort: number,
  mergesByDefault: boolean,
): ReadonlyMap<string, string> {
  if (!isScraped(annotations) || !isMerged(annotations, mergesByDefault)) return annotations
  const names = [
    'prometheus_io_path',
    'prometheus_io_port',
    'prometheus_io_scrape',
    'prometheus_istio_io_scrape_targets',
  ]
  const kept = [...annotations].filter(([key]) => !names.includes(labelName(key)))
  return new Map(kept)
    .set('prometheus.io/port', String(statusPort))
    .set('prometheus.io/path', '/stats/prometheus')
    .set('prometheus.io/scrape', 'true')
}

interface Entry {
  readonly key: string
  readonly value: string
}

function find(annotations: ReadonlyMap<string, string>, name: string): Entry | undefined {
  for (const [key, value] of annotations) if (labelName(key) === name) return { key, value }
  return undefined
}

/** Compares keys as Prometheus label names, with an underscore for every other character. */
function labelName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_]/g, '_')
}

function isScraped(annotations: ReadonlyMap<string, string>): boolean {
  const scrape = find(annotations, 'prometheus_io_scrape')
  return scrape === undefined || parseBool(scrape.value) !== false
}

function isMerged(annotations: ReadonlyMap<string, string>, byDefault: boolean): boolean {
  const wish = annotations.get(MERGE_METRICS)
  return (wish === undefined ? undefined : parseBool(wish)) ?? byDefault
}

/** Reads `port:path` pairs; undefined if one has no port. Istio logs and ignores such an annotation. */
function parseTargets(text: string): readonly string[] | undefined {
  const entries = text.split(',').map((entry) => entry.trim())
  const ports = entries.filter((entry) => entry !== '').map((entry) => (entry.split(':')[0] ?? '').trim())
  return ports.includes('') ? undefined : ports
}

function isRefused(text: string, statusPort: number): boolean {
  const port = parseInteger(text)
  return port === undefined || port < 1 || port > 65535 || port === statusPort || RESERVED_PORTS.has(port)
}

function show({ key, value }: Entry): string {
  return `${key}: ${JSON.stringify(value)}`
}
