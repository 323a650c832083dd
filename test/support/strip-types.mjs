/**
 * Strips types by esbuild, which takes half the time of TypeScript's own transpiler in tap. Node does it itself from 22 on;
 * `TAP_TYPE_STRIP_ONLY` (package.json) keeps tap from loading TypeScript there, and with this file, on Node 20.
 */
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transformSync } from 'esbuild'

if (isMainThread) register(import.meta.url)

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return await next(url, context)
  const path = fileURLToPath(url)
  const source = await readFile(path, 'utf8')
  const { code } = transformSync(source, { loader: 'ts', target: 'node20', sourcemap: 'inline', sourcefile: path })
  return { format: 'module', source: code, shortCircuit: true }
}
