/** The text of `preview`: counts decisions, keeps objects worth showing, prints the summary first. */
import { counted } from '../kubernetes/counted.ts'
import { nameOfFile, type Source } from '../cluster/manifest-source.ts'
import { isHook } from '../kubernetes/container.ts'
import { costOf, costText, NO_COST, sumOf, type Cost } from './preview-cost.ts'
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
  const costs: Cost[] = []
  return {
    add(entry, source) {
      countEntry(totals, entry)
      const cost = costOf(entry)
      if (cost.probes > 0) costs.push(cost)
      if (!all && !hasSomethingToSay(entry)) return
      const { namespace } = entry.reference
      const blocks = byNamespace.get(namespace) ?? []
      byNamespace.set(namespace, blocks)
      blocks.push(renderEntry(entry, `${nameOfFile(source.file)}:${source.line}`, costText(cost), paint))
    },
    count: () => totals.objects,
    isDenied: () => totals.denied > 0,
    text() {
      const groups = [...byNamespace].map(
        ([namespace, blocks]) =>
          `${paint('bold', namespace === '' ? 'the whole cluster' : `namespace ${namespace}`)}\n\n${blocks.join('\n\n')}\n`,
      )
      return [summary(totals, costs), ...groups].join('\n')
    },
  }
}

export const NO_OBJECTS = 'no objects: the input has no Kubernetes object'

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

/** Returns `121 objects: 30 get rewritten pods (60 probes), 1 denied, 90 untouched`, and what all exec probes cost. */
function summary({ objects, rewritten, probes, hooks, denied, others }: Totals, costs: readonly Cost[]): string {
  if (objects === 0) return `${NO_OBJECTS}\n`
  const parts = [
    ...(rewritten === 0
      ? []
      : [`${rewritten} get${rewritten === 1 ? 's' : ''} rewritten pods (${countText(probes, hooks)})`]),
    ...(denied === 0 ? [] : [`${denied} denied`]),
    ...(others === 0 ? [] : [`${others} with an unread template`]),
    `${objects - rewritten - denied - others} untouched`,
  ]
  return `${counted(objects, 'object')}: ${parts.join(', ')}\n${costLine(costs)}`
}

/** The sum is worth a line if several objects have a cost of their own. */
function costLine(costs: readonly Cost[]): string {
  const text = costText(costs.reduce(sumOf, NO_COST))
  return costs.length < 2 || text === undefined ? '' : `${wrap(`in all, ${text}`, '', '  ').join('\n')}\n`
}
