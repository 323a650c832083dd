/** `check --access-log`: reads the logs, and joins them with any state of the cluster. */
import { joinTraffic } from '../callers/join-traffic.ts'
import { joinCounts, trafficQueries } from '../callers/traffic-counts.ts'
import { missingIn } from '../callers/log-format.ts'
import { findUnknownHosts } from '../egress/unknown-hosts.ts'
import type { AccessLogFormat } from '../istio/control-plane.ts'
import { counted } from '../kubernetes/counted.ts'
import type { Estate } from '../readiness/estate.ts'
import { finding, type Finding } from '../readiness/finding.ts'
import { logFiles, readLogs, type LogSource, type ReadLogs } from './access-log-files.ts'
import type { CheckInput } from './check-input.ts'
import type { ClusterFlags } from './load-cluster.ts'

export interface LogOptions {
  readonly cluster: ClusterFlags
  readonly namespaces: readonly string[]
  readonly accessLog: readonly string[]
  readonly prometheus: string | undefined
  /** Seconds; undefined for the default of what is read. */
  readonly since: number | undefined
}

export interface Traffic {
  /** Returns the estate with what the logs show, and findings about the logs themselves. */
  join(estate: Estate): { readonly estate: Estate; readonly findings: readonly Finding[] }
}

/** Reads logs and metrics; undefined without either. Throws InputError. */
export async function readTraffic(
  options: LogOptions,
  input: CheckInput,
  tell: (line: string) => void,
): Promise<Traffic | undefined> {
  const logs = await readLogTraffic(options, input, tell)
  const counts = await readCounts(options)
  if (logs === undefined || counts === undefined) return logs ?? counts
  return {
    join(estate) {
      const counted = counts.join(estate)
      const { estate: both, findings } = logs.join(counted.estate)
      return { estate: both, findings: [...findings, ...counted.findings] }
    },
  }
}

/** Seconds of metrics, unless --since says otherwise. */
const DAY = 86_400

async function readCounts({ prometheus, since = DAY }: LogOptions): Promise<Traffic | undefined> {
  if (prometheus === undefined) return undefined
  const { askPrometheus } = await import('./prometheus.ts')
  const answers = await askPrometheus(prometheus, trafficQueries(since))
  return { join: (estate) => ({ estate: { ...estate, counted: joinCounts(answers, since, estate) }, findings: [] }) }
}

async function readLogTraffic(
  options: LogOptions,
  { after }: CheckInput,
  tell: (line: string) => void,
): Promise<Traffic | undefined> {
  const { accessLog } = options
  if (accessLog.length === 0) return undefined
  const formats = customFormats(after)
  const paths = accessLog.filter((path) => path !== LIVE)
  const live = paths.length === accessLog.length ? [] : await openLive(options, after, tell)
  const sources = [...(await logFiles(paths, process.stdin)), ...live]
  const logs = await readLogs(sources, formats)
  tell(summaryOf(logs, accessLog))
  return {
    join(estate) {
      const { seen, unknownPods } = joinTraffic(logs, logs.counts.unreadable === 0, estate)
      return {
        estate: { ...estate, seen },
        findings: [
          ...unreadableLines(logs, accessLog),
          ...lostPods(unknownPods, accessLog),
          ...incomplete(formats, accessLog),
          ...findUnknownHosts(logs.hosts, estate),
        ],
      }
    },
  }
}

/** The value of --access-log for the logs of the live cluster. */
const LIVE = 'live'

async function openLive(
  { cluster, namespaces, since }: LogOptions,
  state: CheckInput['after'],
  tell: (line: string) => void,
): Promise<readonly LogSource[]> {
  const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
  const { liveSources } = await import('./live-access-logs.ts')
  return liveSources(state, { api: await connectToCluster(cluster.context), namespaces, sinceSeconds: since, tell })
}

/** Every revision's formats are tried on every line. */
function customFormats(state: CheckInput['after']): readonly AccessLogFormat[] {
  return state.controlPlane('default').accessLogFormats
}

function summaryOf(
  { counts: { connection, message, unreadable }, unreadable: samples }: ReadLogs,
  paths: readonly string[],
): string {
  const [sample] = samples
  const example = sample === undefined ? '' : `, the first is ${sample.file}, line ${sample.line}: ${sample.text}`
  const messages = message === 0 ? '' : `, ${counted(message, 'message')} of the proxy`
  return `access log ${paths.join(', ')}: ${counted(connection, 'line')} read${messages}, ${counted(unreadable, 'line')} not readable${example}`
}

function logReference(paths: readonly string[]) {
  return { apiVersion: 'istio-onramp.io/v1alpha1', kind: 'AccessLog', namespace: '', name: paths.join(', ') }
}

function unreadableLines({ counts, unreadable }: ReadLogs, paths: readonly string[]): readonly Finding[] {
  if (counts.unreadable === 0) return []
  const all = counts.connection + counts.message + counts.unreadable
  const examples = unreadable.map(({ file, line, text }) => `${file}, line ${line}: ${text}`)
  return [
    finding('access-log-lines-unreadable', {
      object: logReference(paths),
      message: `${counted(counts.unreadable, 'line')} of ${all} could not be read, among them ${examples.join('; ')}.`,
      fix: 'Include the ConfigMap istio of istio-system in the input if the mesh has a custom accessLogFormat, and give the log of the container istio-proxy.',
      scope: '',
    }),
  ]
}

const MOST_NAMED = 5

function lostPods(pods: ReadonlyMap<string, number>, paths: readonly string[]): readonly Finding[] {
  if (pods.size === 0) return []
  const named = [...pods].slice(0, MOST_NAMED).map(([address, lines]) => `${address} (${counted(lines, 'line')})`)
  const more = pods.size > MOST_NAMED ? ` and ${pods.size - MOST_NAMED} more` : ''
  return [
    finding('access-log-pods-unknown', {
      object: logReference(paths),
      message: `Plain-text connections to ${named.join(', ')}${more} are left out, because no pod of the input has the address.`,
      fix: 'Read the log and the cluster at the same time, or include the pods in the input.',
      scope: '',
    }),
  ]
}

function incomplete(formats: readonly AccessLogFormat[], paths: readonly string[]): readonly Finding[] {
  return formats.flatMap((format, index): readonly Finding[] => {
    const missing = missingIn(format)
    if (missing.length === 0) return []
    const start = (format.kind === 'text' ? format.text : JSON.stringify(format.labels)).trim().slice(0, 60)
    return [
      finding('access-log-format-incomplete', {
        object: logReference(paths),
        about: String(index),
        message: `The access log format ${JSON.stringify(start)} of the mesh configuration lacks ${missing.join(', ')}.`,
        fix: "Add the operators, or use Istio's default format.",
        scope: '',
      }),
    ]
  })
}
