// What `convert` writes to files: the report by its ending, and a folder for each team.
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommandLine } from '../../src/command-line.ts'
import { filesOf } from '../../src/commands/convert-folder.ts'
import { renderHtml } from '../../src/commands/convert-html.ts'
import { convert, ingress } from '../conversion/support/conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
const EVIL = '</script><img src=x onerror=alert(1)>'

const INPUT = [
  ingress({ name: 'exact', host: 'exact.example.com', annotations: { 'example.com/note': EVIL } }),
  ingress({ name: 'lossy', host: 'both.example.com', annotations: { [`${NGINX}auth-type`]: 'basic' } }),
  ingress({ namespace: 'pay', name: 'pay', host: 'both.example.com', paths: ['/pay'], secret: 'tls' }),
]

async function run(args: readonly string[]) {
  const written = { stdout: '', stderr: '' }
  const code = await runCommandLine(args, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  })
  return { code, ...written }
}

async function folderWithInput() {
  const folder = await mkdtemp(join(tmpdir(), 'istio-onramp-files-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'in.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: INPUT }))
  return folder
}

t.test('--report writes by the ending, and refuses another one', async (t) => {
  const folder = await folderWithInput()
  const report = async (name: string) => {
    const result = await run([
      'convert',
      '-f',
      join(folder, 'in.json'),
      '--report',
      join(folder, name),
      '--fail-on',
      'never',
    ])
    return { ...result, text: result.code === 0 ? await readFile(join(folder, name), 'utf8') : '' }
  }
  const json = JSON.parse((await report('r.json')).text) as readonly Record<string, string>[]
  t.ok(json.some(({ ingress: id, about }) => id === 'shop/lossy' && about === `${NGINX}auth-type`))
  const csv = (await report('r.csv')).text
  t.match(csv, /^namespace,ingress,level,outcome,about,message\r\n/)
  t.match(csv, /\r\nshop,lossy,error,unsupported,nginx\.ingress\.kubernetes\.io\/auth-type,/)
  const markdown = (await report('r.md')).text
  t.match(markdown, /\| Namespace \| Ingresses \| exactly \| approximately \| not \|/)
  t.match(markdown, /\| all \| 3 \|/)
  t.match(markdown, /## Hosts of several namespaces\n\n(?:.*\n){2}\| `both\.example\.com` \| pay, shop \|/)
  const html = (await report('r.html')).text
  t.match(html, /^<!doctype html>/)
  t.notMatch(
    html,
    /https?:\/\/(?!both|exact|kubernetes|[a-z.-]*\/)[a-z]+\.[a-z]+\/.*\.(?:js|css)/,
    'nothing from a network',
  )
  for (const bad of ['r.txt', 'r', 'r.pdf']) {
    const { code, stderr } = await report(bad)
    t.equal(code, 2)
    t.match(stderr, /\.html \(an estate view\), \.md, \.csv or \.json is expected/)
  }
  t.match(await report(join('missing', 'r.md')), { code: 2, stderr: /--report .*missing/ })
})

t.test('the estate view counts, groups and escapes', (t) => {
  const html = renderHtml(convert(INPUT), INPUT)
  t.notMatch(html, EVIL)
  t.match(html, '&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;')
  t.match(html, /<a href="#namespace-shop">shop<\/a><\/td><td class="n">2<\/td>/)
  t.match(html, /auth-type<\/code><\/td><td class="n">1<\/td><td>shop<\/td>/)
  t.match(html, /<code>both\.example\.com<\/code><\/td><td>pay, shop<\/td>/)
  t.match(html, /prefers-color-scheme:dark/)
  t.match(html, /default-src 'none'/)
  const exact = html.slice(html.indexOf('shop/exact</summary>'))
  t.match(
    exact,
    /<pre tabindex="0">apiVersion: networking\.k8s\.io\/v1\nkind: Ingress[^]*?<\/pre><pre tabindex="0">apiVersion: networking\.istio\.io\/v1/,
  )
  t.end()
})

t.test(
  '--output-folder: a folder for each team and one for the platform, which a second run leaves alone',
  async (t) => {
    const folder = await folderWithInput()
    const out = join(folder, 'out')
    const write = (...more: readonly string[]) =>
      run([
        'convert',
        '-f',
        join(folder, 'in.json'),
        '--output-folder',
        out,
        '--to',
        'gateway-api',
        '--fail-on',
        'never',
        ...more,
      ])
    const first = await write()
    t.match(first, { code: 0, stdout: '', stderr: /out: \d+ files written, 0 removed, 0 unchanged, 0 kept\n$/ })
    t.same((await readdir(out)).toSorted(), ['.istio-onramp.json', 'namespaces', 'platform'])
    t.same((await readdir(join(out, 'namespaces'))).toSorted(), ['pay', 'shop'])
    t.same((await readdir(join(out, 'platform'))).toSorted(), ['gateway-istio-system-nginx.yaml', 'kustomization.yaml'])
    const kustomization = await readFile(join(out, 'namespaces/pay/kustomization.yaml'), 'utf8')
    const files = (await readdir(join(out, 'namespaces/pay')))
      .filter((name) => name !== 'kustomization.yaml')
      .toSorted()
    t.match(kustomization, `resources:\n${files.map((name) => `  - ${name}\n`).join('')}`)
    t.match(await write(), { code: 0, stderr: /out: 0 files written, 0 removed, \d+ unchanged, 0 kept\n$/ })

    const edited = join(out, 'platform/gateway-istio-system-nginx.yaml')
    await writeFile(edited, '# ours\n')
    await writeFile(join(out, 'namespaces/shop/own.yaml'), '# beside\n')
    await writeFile(
      join(folder, 'in.json'),
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: INPUT.slice(0, 2) }),
    )
    const second = await write()
    t.equal(second.code, 1)
    t.match(second.stderr, new RegExp(`${edited}: was edited, so it is left as it is`))
    t.equal(await readFile(edited, 'utf8'), '# ours\n')
    t.equal(await readFile(join(out, 'namespaces/shop/own.yaml'), 'utf8'), '# beside\n')
    t.same(await readdir(join(out, 'namespaces/pay')), [], 'what is no longer generated is removed')
    await rm(edited)
    t.match(await write(), { code: 0, stderr: /out: 1 files written, 0 removed/ })
  },
)

t.test('a folder that cannot be written is an error that names it', async (t) => {
  const folder = await folderWithInput()
  const write = (out: string) =>
    run(['convert', '-f', join(folder, 'in.json'), '--output-folder', out, '--fail-on', 'never'])
  await writeFile(join(folder, 'file'), '')
  t.match(await write(join(folder, 'file')), { code: 2, stderr: /--output-folder .*file/ })
  await mkdir(join(folder, 'linked'))
  await symlink(join(folder, 'elsewhere'), join(folder, 'linked/namespaces'))
  t.match(await write(join(folder, 'linked')), { code: 2, stderr: /linked\/namespaces: a folder is expected there/ })
  await mkdir(join(folder, 'torn'))
  await writeFile(join(folder, 'torn/.istio-onramp.json'), '[')
  t.match(await write(join(folder, 'torn')), { code: 2, stderr: /\.istio-onramp\.json: is not a record/ })
})

t.test('no name leads out of the folder', (t) => {
  const object = (namespace: string, name: string) => {
    return { apiVersion: 'v1', kind: 'X/../Y', metadata: { namespace, name }, spec: {} }
  }
  const objects = [object('../../etc', '../passwd'), object('..', '..'), object('shop', 'a/b'), object('shop', 'a-b')]
  const report = objects.map(({ metadata: { namespace } }) => {
    return { ingress: `${namespace}/x`, level: 'info', about: '', outcome: 'converted', message: '' } as const
  })
  const paths = [...filesOf({ objects, report }).keys()]
  for (const path of paths) t.match(path, /^(?:platform|namespaces\/[\w-][\w.-]*)\/[\w-][\w.-]*$/)
  t.equal(paths.filter((path) => !path.endsWith('kustomization.yaml')).length, 4, 'names that differ stay apart')
  t.end()
})
