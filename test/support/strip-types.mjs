/**
 * Strips types by esbuild, which takes half the time of TypeScript's own transpiler in tap. Node does it itself from 22 on;
 * `TAP_TYPE_STRIP_ONLY` (package.json) keeps tap from loading TypeScript there, and with this file, on Node 20. Each test file
 * is a process that imports most of src/, so the results are kept, by path and content, in node_modules/.cache.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/stripped-types/', import.meta.url))

if (isMainThread) register(import.meta.url)

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return await next(url, context)
  const path = fileURLToPath(url)
  const source = await readFile(path, 'utf8')
  const cached = CACHE + createHash('sha256').update(`${path}\n${source}`).digest('hex')
  const code = (await readFile(cached, 'utf8').catch(() => undefined)) ?? (await strip(path, source, cached))
  return { format: 'module', source: code, shortCircuit: true }
}

/** Test files run side by side, so a file gets its name only when it is whole. */
async function strip(path, source, cached) {
  const { transform } = await import('esbuild')
  const options = { loader: 'ts', target: 'node20', sourcemap: 'inline', sourcefile: path }
  const { code } = await transform(source, options)
  await mkdir(CACHE, { recursive: true })
  await writeFile(`${cached}.${process.pid}`, code)
  await rename(`${cached}.${process.pid}`, cached)
  return code
}
