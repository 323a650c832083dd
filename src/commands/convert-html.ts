/** The estate view: one HTML page without a network, for reading, searching and printing. Everything in it is escaped. */
import type { Conversion } from '../conversion/convert-ingresses.ts'
import { isIngress } from '../conversion/ingress/ingress.ts'
import type { Note } from '../conversion/model/report.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { member } from '../kubernetes/json.ts'
import { metadataOf, referenceTo } from '../kubernetes/object.ts'
import { toYaml } from '../kubernetes/yaml-text.ts'
import { countOf, estateOf, objectsByIngress, type Estate, type EstateIngress } from './convert-estate.ts'
import { escaped } from './html-text.ts'

/** `objects` are the input. */
export function renderHtml(conversion: Conversion, objects: readonly JsonObject[]): string {
  const estate = estateOf(conversion)
  const given = new Map(objects.filter(isIngress).map((object) => [idOf(object), object]))
  const became = objectsByIngress(conversion)
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Conversion of Ingresses</title>`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><header><h1>Conversion of Ingresses</h1></header><main>`,
    countTable(estate),
    lossTable(estate),
    sharedTable(estate),
    conversion.notes.length === 0 ? '' : `<h2>All Ingresses</h2>${lineTable(conversion.notes)}`,
    `<h2>Ingresses</h2><input id="search" type="search" placeholder="Search names, hosts, annotations" aria-label="Search">`,
    ...[...estate.namespaces].map(([name, group]) => namespaceSection(name, group, given, became)),
    `</main><script>${SCRIPT}</script></body></html>\n`,
  ].join('\n')
}

function idOf(object: JsonObject): string {
  const { namespace, name } = referenceTo(object)
  return `${namespace}/${name}`
}

function countTable({ namespaces, ingresses }: Estate): string {
  const row = (link: string, group: readonly EstateIngress[]) =>
    `<tr><td>${link}</td>${[group.length, countOf(group, 'exactly'), countOf(group, 'approximately'), countOf(group, 'not')].map((count) => `<td class="n">${count}</td>`).join('')}</tr>`
  const rows = [...namespaces].map(([name, group]) =>
    row(`<a href="#${escaped(anchor(name))}">${escaped(name)}</a>`, group),
  )
  return `<table><thead><tr><th>Namespace</th><th>Ingresses</th><th>exactly</th><th>approximately</th><th>not</th></tr></thead><tbody>${rows.join('')}</tbody><tfoot>${row('all', ingresses)}</tfoot></table>`
}

function lossTable({ losses }: Estate): string {
  if (losses.length === 0) return ''
  const rows = losses.map(
    ({ about, count, namespaces }) =>
      `<tr><td><code>${escaped(about)}</code></td><td class="n">${count}</td><td>${escaped(namespaces.join(', '))}</td></tr>`,
  )
  return `<h2>Not converted</h2><table><thead><tr><th>Field</th><th>Ingresses</th><th>Namespaces</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function sharedTable({ shared }: Estate): string {
  if (shared.length === 0) return ''
  const rows = shared.map(
    ({ host, namespaces }) =>
      `<tr><td><code>${escaped(host)}</code></td><td>${escaped(namespaces.join(', '))}</td></tr>`,
  )
  return `<h2>Hosts of several namespaces</h2><table><thead><tr><th>Host</th><th>Namespaces</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function namespaceSection(
  name: string,
  group: readonly EstateIngress[],
  given: ReadonlyMap<string, JsonObject>,
  became: (id: string) => readonly JsonObject[],
): string {
  const parts = group.map(({ id, verdict, lines }) => {
    const before = given.get(id)
    const after = became(id).map(toYaml).join('---\n')
    const pair = `<div class="pair"><pre tabindex="0">${before === undefined ? '' : escaped(toYaml(withoutNoise(before)))}</pre><pre tabindex="0">${escaped(after)}</pre></div>`
    return `<details class="ingress"><summary><b class="${verdict}">${verdict}</b> ${escaped(id)}</summary>${lineTable(lines)}${pair}</details>`
  })
  return `<section id="${escaped(anchor(name))}"><h3>${escaped(name)}</h3>${parts.join('\n')}</section>`
}

function anchor(namespace: string): string {
  return `namespace-${namespace}`
}

const NOISE = ['managedFields', 'uid', 'resourceVersion', 'generation', 'annotations']

/** Drops what the API server and kubectl added. */
function withoutNoise(object: JsonObject): JsonObject {
  const annotations = Object.entries(member(metadataOf(object), 'annotations') ?? {}).filter(
    ([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration',
  )
  const kept = Object.entries(metadataOf(object)).filter(([key]) => !NOISE.includes(key))
  const metadata = {
    ...Object.fromEntries(kept),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  }
  return { ...Object.fromEntries(Object.entries(object).filter(([key]) => key !== 'status')), metadata }
}

function lineTable(lines: readonly Note[]): string {
  const rows = lines.map(
    ({ level, outcome, about, message }) =>
      `<tr class="${escaped(level)}"><td>${escaped(level)}</td><td>${escaped(outcome)}</td><td><code>${escaped(about)}</code></td><td>${escaped(message)}</td></tr>`,
  )
  return `<table class="lines"><tbody>${rows.join('')}</tbody></table>`
}

const STYLE = `:root{color-scheme:light dark;--line:#8886;--bad:#b3261e;--fair:#8a4b00;--good:#171;--bg:#fff;--text:#1b1f24;--link:#0550ae}
@media(prefers-color-scheme:dark){:root{--bad:#f77;--fair:#fb5;--good:#7d7;--bg:#0d1117;--text:#e6edf3;--link:#79c0ff}}
a{color:var(--link)}
body{color:var(--text);background:var(--bg);font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:80em;padding:0 1em}
table{border-collapse:collapse;margin:.5em 0}td,th{border-bottom:1px solid var(--line);padding:.2em .6em;text-align:left;vertical-align:top;overflow-wrap:break-word}
th,.n,.lines td:nth-child(-n+2){white-space:nowrap}code{overflow-wrap:anywhere}td code{display:inline-block;min-width:9em}
.n{text-align:right}.not,.error td:first-child{color:var(--bad)}.approximately,.warn td:first-child{color:var(--fair)}.exactly{color:var(--good)}
details{border-bottom:1px solid var(--line);padding:.3em 0}summary{cursor:pointer}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1em}pre{overflow:auto;font-size:12px;border:1px solid var(--line);padding:.6em;margin:0}
input{font:inherit;width:100%;padding:.4em;box-sizing:border-box}
@media(max-width:45em){body{margin:1em auto}h1{font-size:1.5em}td,th{padding:.2em .35em}.pair{grid-template-columns:minmax(0,1fr)}
.lines tr{display:block;border-bottom:1px solid var(--line)}.lines td{display:inline-block;border:0}.lines td:nth-child(4){display:block}}
@media print{input{display:none}.pair{display:block}pre{white-space:pre-wrap;overflow-wrap:anywhere;break-inside:auto}tr{break-inside:avoid}}`

const SCRIPT = `const all=[...document.querySelectorAll('.ingress')].map(e=>[e,e.textContent.toLowerCase()]);
document.getElementById('search').addEventListener('input',({target})=>{const words=target.value.toLowerCase().split(/\\s+/);
for(const[e,t]of all)e.hidden=!words.every(w=>t.includes(w));
for(const s of document.querySelectorAll('section'))s.hidden=!s.querySelector('.ingress:not([hidden])')});
addEventListener('beforeprint',()=>{for(const[e]of all)if(!e.hidden)e.open=true})`
