// hack/pages/test: the HTML that the commands write, in headless Chromium: axe-core finds nothing in light, in dark, at two
// widths; nothing is wider than the window; the page prints. `--keep FOLDER` leaves the pages, screenshots and PDFs there.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { keep: { type: 'string' }, chromium: { type: 'string', default: 'chromium' } },
})
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const CLI = here('../../dist/cli.js')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'istio-onramp-pages-'))
mkdirSync(folder, { recursive: true })

const pages = {
  check: () => {
    const from = ['--from', here('../../examples/cluster'), '--from', here('../../examples/workloads')]
    run(['check', ...from, '-o', 'json', '--fail-on', 'never'], join(folder, 'baseline.json'))
    const args = ['check', ...from, '--assume-strict', 'batch', '--baseline', join(folder, 'baseline.json')]
    run([...args, '--fail-on', 'never', '-o', `html=${join(folder, 'check.html')}`])
  },
  convert: () => run(['convert', '-f', here('../../examples/workloads'), '--report', join(folder, 'convert.html')]),
}
const VIEWS = [
  { name: 'wide', size: '1280,900', scheme: 1 },
  { name: 'wide-dark', size: '1280,900', scheme: 0 },
  { name: 'narrow', size: '500,900', scheme: 1 },
  { name: 'narrow-dark', size: '500,900', scheme: 0 },
]

let failed = 0
for (const [page, write] of Object.entries(pages)) {
  write()
  const file = join(folder, `${page}.html`)
  const audited = join(folder, `${page}.audited.html`)
  writeFileSync(audited, withAudit(readFileSync(file, 'utf8')))
  for (const { name, size, scheme } of VIEWS) {
    const view = [`--window-size=${size}`, `--blink-settings=preferredColorScheme=${scheme}`]
    const problems = audit(chromium([...view, '--dump-dom', '--virtual-time-budget=20000'], audited))
    if (values.keep !== undefined) chromium([...view, `--screenshot=${join(folder, `${page}-${name}.png`)}`], file)
    report(`${page} page, ${name}`, problems)
  }
  const pdf = join(folder, `${page}.pdf`)
  chromium(['--no-pdf-header-footer', `--print-to-pdf=${pdf}`], file)
  report(`${page} page, printed`, statSync(pdf).size > 10_000 ? [] : ['the PDF is empty'])
}
if (values.keep === undefined) rmSync(folder, { recursive: true })
console.log(failed === 0 ? 'every page is accessible in every view' : `${failed} views have problems`)
process.exit(failed === 0 ? 0 : 1)

function run(args, output) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`${args.join(' ')}: ${stderr}`)
  if (output !== undefined) writeFileSync(output, stdout)
}

/** The audit's result is the text of an element, which a dump of the page shows. Details are open, as in print. */
function withAudit(html) {
  const audit = `for(const e of document.querySelectorAll('details'))e.open=true;axe.run().then(({violations,passes})=>{const e=document.createElement('pre');e.id='audit';e.textContent=JSON.stringify({passes:passes.length,width:[document.documentElement.scrollWidth,innerWidth],violations:violations.map(({id,help,nodes})=>({id,help,nodes:nodes.slice(0,3).map(({html,failureSummary})=>html+' '+failureSummary)}))});document.body.append(e)})`
  return html.replace('</body>', () => `<script>${AXE}</script><script>${audit}</script></body>`)
}

function audit(dom) {
  const found = /<pre id="audit">([^<]*)<\/pre>/.exec(dom)?.[1]
  if (found === undefined) return ['axe-core did not run']
  const text = found.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
  const { passes, width, violations } = JSON.parse(text)
  return [
    ...(passes > 10 ? [] : [`only ${passes} rules of axe-core applied`]),
    ...(width[0] <= width[1] ? [] : [`${width[0]} pixels wide in a window of ${width[1]}`]),
    ...violations.map(({ id, help, nodes }) => [`${id}: ${help}`, ...nodes].join('\n    ')),
  ]
}

function chromium(args, file) {
  const common = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars']
  const { status, stdout, stderr } = spawnSync(values.chromium, [...common, ...args, pathToFileURL(file).href], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`chromium ${args.join(' ')}: ${stderr}`)
  return stdout
}

function report(name, problems) {
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  for (const problem of problems) console.log(`  ${problem}`)
  if (problems.length > 0) failed++
}
