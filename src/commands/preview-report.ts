/** The text of `preview`: counts decisions, keeps objects worth showing, prints the summary first. */
import { counted } from '../kubernetes/counted.ts'
import { nameOfFile, type Source } from '../cluster/manifest.ts'
import { isHook } from '../kubernetes/container.ts'
import { memberAt } from '../kubernetes/json.ts'
import { readPodTemplate } from '../kubernetes/pod-template.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { nodeCpuPerMinute } from '../rules/probes/probe-cost.ts'
import type { PreviewEntry } from './preview-entry.ts'
import { countText, createPaint, hasSomethingToSay, renderEntry, rewrittenIn, wrap } from './preview-text.ts'

export interface PreviewReport {
  add(entry: PreviewEntry, source: Source): void
  count(): number
  isDenied(): boolean
  text(): string
}

export function previewReport({ all, hasColor }: { readonly all: boolean; readonly hasColor: boolean }): PreviewReport {
  const paint = createPaint(hasColor)
  const byNamespace = new Map<string, string[]>()
  const totals = { objects: 0, rewritten: 0, probes: 0, hooks: 0, denied: 0, others: 0 }
  const cost: Cost = { probes: 0, exec: 0, agent: 0 }
  return {
    add(entry, source) {
      countEntry(totals, entry)
      addCost(cost, costOf(entry))
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
      return [summary(totals, cost), ...groups].join('\n')
    },
  }
}

export const NO_OBJECTS = 'no objects: the input has no Kubernetes object'

/** Milliseconds of node CPU per minute. */
interface Cost {
  probes: number
  exec: number
  agent: number
}

function addCost(sum: Cost, { probes, exec, agent }: Cost): void {
  sum.probes += probes
  sum.exec += exec
  sum.agent += agent
}

interface Totals {
  objects: number
  rewritten: number
  probes: number
  hooks: number
  denied: number
  /** Objects whose pods are rewritten although they cannot be shown. */
  others: number
}

function countEntry(totals: Totals, entry: PreviewEntry): void {
  const rewritten = rewrittenIn(entry)
  totals.objects++
  if (entry.verdict.kind === 'deny') totals.denied++
  if (rewritten.length > 0) totals.rewritten++
  const hooks = rewritten.filter(({ slot }) => slot !== undefined && isHook(slot)).length
  totals.hooks += hooks
  totals.probes += rewritten.length - hooks
  if (entry.role === 'pods-unread') totals.others++
}

/**
 * Returns `121 objects: 30 get rewritten pods (60 probes), 1 denied, 90 untouched`, and the cost of the exec probes.
 */
function summary({ objects, rewritten, probes, hooks, denied, others }: Totals, cost: Cost): string {
  if (objects === 0) return `${NO_OBJECTS}\n`
  const parts = [
    ...(rewritten === 0
      ? []
      : [`${rewritten} get${rewritten === 1 ? 's' : ''} rewritten pods (${countText(probes, hooks)})`]),
    ...(denied === 0 ? [] : [`${denied} denied`]),
    ...(others === 0 ? [] : [`${others} with an unread template`]),
    `${objects - rewritten - denied - others} untouched`,
  ]
  return `${counted(objects, 'object')}: ${parts.join(', ')}\n${costLine(cost)}`
}

function costLine({ probes, exec, agent }: Cost): string {
  if (probes === 0) return ''
  const text = `${counted(probes, 'exec probe')}: ${seconds(exec)} of node CPU per minute at these periods and replicas; ${seconds(agent)} if Istio's agent served them`
  return `${wrap(text, '', '  ').join('\n')}\n`
}

function seconds(milliseconds: number): string {
  if (milliseconds < 100) return `${Math.round(milliseconds)} ms`
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`
}

/** Counts the exec probes after the rewrite. Hooks run once and startup probes end, so neither counts. */
function costOf(entry: PreviewEntry): Cost {
  const { reference, before, pod, role } = entry
  const template =
    role === 'pods-shown' && pod !== undefined
      ? readPodTemplate('Pod', pod.before)
      : readPodTemplate(reference.kind, before)
  const execs = rewrittenIn(entry).filter(({ strategy }) => strategy === 'exec')
  if (isProblem(template) || execs.length === 0) return { probes: 0, exec: 0, agent: 0 }
  const checks = template.containers
    .flatMap(({ name, checks: all }) => all.map((check) => ({ name, check })))
    .filter(({ name, check }) => execs.some(({ container, slot }) => container === name && slot === check.slot))
    .map(({ check }) => check)
    .filter(({ slot }) => !isHook(slot) && slot !== 'startupProbe')
  return { probes: checks.length, ...nodeCpuPerMinute(checks, numberOr(memberAt(before, 'spec', 'replicas'), 1)) }
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback
}
