/** The text of `preview`: counts what was decided, keeps the objects with something to say, prints the summary first. */
import { nameOfFile, type Source } from '../cluster/manifest.ts'
import { isHook } from '../kubernetes/container.ts'
import { arrayMember, member, memberAt, stringMember } from '../kubernetes/json.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'
import { cpuSecondsPerMinute, runsPerMinute, type ProbeRuns } from '../rules/probes/probe-cost.ts'
import type { PreviewEntry } from './preview-entry.ts'
import { createPaint, hasSomethingToSay, plural, renderEntry, rewrittenIn } from './preview-text.ts'

export interface PreviewReport {
  add(entry: PreviewEntry, source: Source): void
  count(): number
  isDenied(): boolean
  text(): string
}

export function previewReport({ all, hasColor }: { readonly all: boolean; readonly hasColor: boolean }): PreviewReport {
  const paint = createPaint(hasColor)
  const byNamespace = new Map<string, string[]>()
  const totals = { objects: 0, rewritten: 0, probes: 0, denied: 0, others: 0 }
  const execProbes: ProbeRuns[] = []
  return {
    add(entry, source) {
      countEntry(totals, entry)
      execProbes.push(...execProbesOf(entry))
      if (!all && !hasSomethingToSay(entry)) return
      const { namespace } = entry.reference
      const blocks = byNamespace.get(namespace) ?? []
      byNamespace.set(namespace, blocks)
      blocks.push(renderEntry(entry, `${nameOfFile(source.file)}:${source.line}`, paint))
    },
    count: () => totals.objects,
    isDenied: () => totals.denied > 0,
    text() {
      const groups = [...byNamespace].map(
        ([namespace, blocks]) =>
          `${paint('bold', namespace === '' ? 'the whole cluster' : `namespace ${namespace}`)}\n\n${blocks.join('\n\n')}\n`,
      )
      return [summary(totals, execProbes), ...groups].join('\n')
    },
  }
}

interface Totals {
  objects: number
  rewritten: number
  probes: number
  denied: number
  /** Objects whose pods are rewritten although nothing of them can be shown. */
  others: number
}

function countEntry(totals: Totals, entry: PreviewEntry): void {
  const rewritten = rewrittenIn(entry)
  totals.objects++
  if (entry.verdict.kind === 'deny') totals.denied++
  if (rewritten.length > 0) totals.rewritten++
  totals.probes += rewritten.length
  if (entry.role === 'pods-unread') totals.others++
}

/** `121 objects: 30 get rewritten pods (60 probes), 1 denied, 90 untouched`, and what the exec checks cost. */
function summary({ objects, rewritten, probes, denied, others }: Totals, execProbes: readonly ProbeRuns[]): string {
  if (objects === 0) return 'no objects: the input holds no Kubernetes object\n'
  const parts = [
    ...(rewritten === 0 ? [] : [`${rewritten} get${rewritten === 1 ? 's' : ''} rewritten pods (${plural(probes, 'probe')})`]),
    ...(denied === 0 ? [] : [`${denied} denied`]),
    ...(others === 0 ? [] : [`${others} with a template that is not read`]),
    `${objects - rewritten - denied - others} untouched`,
  ]
  return `${plural(objects, 'object')}: ${parts.join(', ')}\n${costLine(execProbes)}`
}

function costLine(execProbes: readonly ProbeRuns[]): string {
  if (execProbes.length === 0) return ''
  const runs = runsPerMinute(execProbes)
  const [exec, agent] = (['exec', 'agent'] as const).map((strategy) => seconds(cpuSecondsPerMinute(runs, strategy)))
  return `${plural(execProbes.length, 'exec probe')}: ${exec} of node CPU per minute at these periods and replicas; ${agent} on Istio's agent's port\n`
}

function seconds(value: number): string {
  return value < 0.1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 1 : 0)} s`
}

/** Hooks run once in a pod's life and cost nothing to speak of. */
function execProbesOf(entry: PreviewEntry): readonly ProbeRuns[] {
  const { reference, before, pod } = entry
  const spec = pod === undefined ? member(rawTemplate(reference.kind, before), 'spec') : member(pod.before, 'spec')
  const containers = [...arrayMember(spec, 'initContainers'), ...arrayMember(spec, 'containers')]
  const replicas = numberOr(memberAt(before, 'spec', 'replicas'), 1)
  return rewrittenIn(entry)
    .filter(({ slot, strategy }) => strategy === 'exec' && slot !== undefined && !isHook(slot) && slot !== 'startupProbe')
    .map(({ container, slot = 'livenessProbe' }) => {
      const found = containers.find((item) => stringMember(item, 'name') === container)
      return { periodSeconds: numberOr(memberAt(found, slot, 'periodSeconds'), 10), replicas }
    })
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback
}
