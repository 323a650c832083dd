/** `check -o html`: one page without a network, for managers and for printing. Everything in it is escaped. */
import { counted } from '../../kubernetes/counted.ts'
import { describe } from '../../kubernetes/object.ts'
import type { PlainText, PortModes, WorkloadPorts } from '../../readiness/port-matrix.ts'
import type { Verdict } from '../../readiness/verdict.ts'
import type { CheckReport, IgnoredFinding, ReportedFinding, ReportedNamespace } from '../check-report.ts'
import { escaped } from '../html-text.ts'
import { describeFinding, titleOf } from './described.ts'
import { SCRIPT, STYLE } from './html-style.ts'

export function toHtml(report: CheckReport): string {
  const { namespaces, findings, unknown, ignored } = report
  const others = findings.filter(({ object, scope }) => !namespaces.some(({ name }) => isOf(name, { object, scope })))
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>May the namespace be STRICT?</title>',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head><body>`,
    '<header><h1>May the namespace be STRICT?</h1>',
    answer(namespaces),
    progress(report),
    '</header><main>',
    overview(namespaces),
    '<div class="search"><label for="search">Search findings and workloads</label><input id="search" type="search"><p id="hits" role="status"></p></div>',
    ...namespaces.map((namespace) => namespaceSection(namespace, report)),
    others.length === 0 ? '' : `<section><h2>Other objects</h2>${others.map(findingItem).join('\n')}</section>`,
    unknown.length === 0 ? '' : unknownSection(unknown),
    ignored.length === 0 ? '' : `<section><h2>Ignored</h2>${ignored.map(ignoredItem).join('\n')}</section>`,
    `</main><script>${SCRIPT}</script></body></html>\n`,
  ].join('\n')
}

const ANSWERS: Readonly<Record<Verdict, string>> = {
  yes: 'may switch to STRICT',
  no: 'would break',
  unknown: 'cannot be judged yet',
}

/** A sentence for each verdict, and a bar with their shares. */
function answer(namespaces: readonly ReportedNamespace[]): string {
  const total = namespaces.length
  const shares = (['yes', 'no', 'unknown'] as const).map((verdict) => {
    const count = namespaces.filter((namespace) => namespace.verdict === verdict).length
    return { verdict, count, text: `${count} of ${counted(total, 'namespace')} ${ANSWERS[verdict]}` }
  })
  const present = shares.filter(({ count }) => count > 0)
  const bar = present.map(({ verdict, count }) => `<span class="${verdict}" style="flex:${count}"></span>`).join('')
  const items = present.map(({ verdict, text }) => `<li><b class="badge ${verdict}">${verdict}</b> ${text}</li>`)
  return `<ul class="answer">${items.join('')}</ul><div class="bar" aria-hidden="true">${bar}</div>`
}

function progress({ findings, fixed }: CheckReport): string {
  if (fixed === undefined) return ''
  const added = findings.filter(({ isNew }) => isNew === true).length
  const left = findings.length - added
  return `<p>Since the baseline: ${counted(fixed, 'finding')} fixed, ${left} left, ${added} new. <progress max="${Math.max(1, fixed + left)}" value="${fixed}" aria-label="findings of the baseline that are fixed"></progress></p>`
}

function overview(namespaces: readonly ReportedNamespace[]): string {
  const rows = namespaces.map(({ name, verdict, mode, dataplane, counts, next }) =>
    [
      `<tr><th scope="row"><a href="#${anchor(name)}">${escaped(name)}</a></th>`,
      `<td><b class="badge ${verdict}">${verdict}</b></td><td>${mode}</td><td>${escaped(dataplane)}</td>`,
      `<td class="n">${counts.error}</td><td class="n">${counts.warn}</td><td class="n">${counts.unknown}</td>`,
      `<td><code>${escaped(next)}</code></td></tr>`,
    ].join(''),
  )
  const head = ['Namespace', 'STRICT?', 'Mode', 'Data plane', 'Errors', 'Warnings', 'Unknown', 'Next']
  return `<h2>Namespaces</h2>${table('Namespaces', head, rows)}`
}

function namespaceSection(namespace: ReportedNamespace, { findings, workloads }: CheckReport): string {
  const { name, verdict } = namespace
  const own = findings.filter((finding) => isOf(name, finding))
  const rows = workloads.filter(({ object }) => object.namespace === name)
  return [
    `<section id="${anchor(name)}"><h2><b class="badge ${verdict}">${verdict}</b> ${escaped(name)}</h2>`,
    rows.length === 0 ? '' : matrix(name, rows, own),
    own.length === 0 ? '<p>No findings.</p>' : own.map(findingItem).join('\n'),
    '</section>',
  ].join('\n')
}

function isOf(namespace: string, { object, scope }: Pick<ReportedFinding, 'object' | 'scope'>): boolean {
  return object.namespace === namespace || (object.namespace === '' && scope === namespace)
}

function anchor(namespace: string): string {
  return `namespace-${escaped(namespace)}`
}

const MESH: Readonly<Record<WorkloadPorts['mesh'], string>> = {
  sidecar: 'sidecar',
  ambient: 'ambient',
  refused: 'refused by the injector',
  outside: 'outside the mesh',
}

function matrix(namespace: string, rows: readonly WorkloadPorts[], findings: readonly ReportedFinding[]): string {
  const lines = rows.map((row) => {
    const about = findings.filter(({ object }) => describe(object) === describe(row.object))
    const worst = about.some(({ severity }) => severity === 'error') ? 'error' : about.length > 0 ? 'warn' : 'none'
    const cells = row.ports.map((port) => portCell(port, about))
    const name = escaped(`${row.object.kind} ${row.object.name}`)
    return `<tr class="hit"><th scope="row">${name}</th><td>${MESH[row.mesh]}</td><td>${cells.join(' ') || 'no ports declared'}</td><td class="n ${worst}">${about.length}</td></tr>`
  })
  return table(
    `Ports of ${namespace}`,
    ['Workload', 'Data plane', 'Ports: plain text now, and under STRICT', 'Findings'],
    lines,
  )
}

const PLAIN_TEXT: Readonly<Record<PlainText, string>> = {
  open: 'accepted',
  closed: 'refused',
  direct: 'past the proxy',
}

function portCell({ number, name, now, ifStrict }: PortModes, findings: readonly ReportedFinding[]): string {
  const hit = findings.some(({ port, severity }) => port === number && severity === 'error')
  const change = now === ifStrict ? PLAIN_TEXT[now] : `${PLAIN_TEXT[now]} → ${PLAIN_TEXT[ifStrict]}`
  const label = name === '' ? String(number) : `${number} ${escaped(name)}`
  return `<span class="port ${ifStrict}${hit ? ' breaks' : ''}"><b>${label}</b> ${change}${hit ? ', breaks' : ''}</span>`
}

function findingItem(finding: ReportedFinding): string {
  const { severity, message, docs, code, isNew, callers } = finding
  const place =
    finding.file === undefined ? '' : `<p>In <code>${escaped(`${finding.file}:${finding.line ?? 1}`)}</code></p>`
  const mark = isNew === true ? ' <b class="badge new">new</b>' : ''
  return [
    `<details class="finding hit"><summary><b class="badge ${severity}">${severity}</b>${mark} ${escaped(titleOf(finding))}: ${escaped(describeFinding(finding))}</summary>`,
    `<p>${escaped(message)}</p>`,
    callers === undefined ? '' : `<p>Callers: ${escaped(callers.map(callerText).join(', '))}</p>`,
    `<h3>What to do</h3><pre tabindex="0">${escaped(finding.fix)}</pre>${place}`,
    `<p>More: <a href="${escaped(docs)}">${escaped(code)}</a></p></details>`,
  ].join('')
}

function callerText(caller: NonNullable<ReportedFinding['callers']>[number]): string {
  return 'address' in caller ? caller.address : `${caller.kind} ${caller.namespace}/${caller.name}`
}

function unknownSection(unknown: CheckReport['unknown']): string {
  const items = unknown.map(({ namespace, reason }) => `<li><b>${escaped(namespace)}</b>: ${escaped(reason)}</li>`)
  return `<section><h2>Not known</h2><ul>${items.join('')}</ul></section>`
}

function ignoredItem(finding: IgnoredFinding): string {
  const until = finding.until === undefined ? '' : ` until ${finding.until}`
  return `<p class="hit">${escaped(titleOf(finding))}: ${escaped(describeFinding(finding))}, ignored by ${escaped(finding.ignoredBy + until)}</p>`
}

/** Wide tables scroll within the page, and the keyboard can scroll them. */
function table(label: string, head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((title) => `<th scope="col">${title}</th>`).join('')
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(label)}"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}
