/** Reads manifests from files, folders (recursively) and standard input. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text as readStream } from 'node:stream/consumers'
import { codeOf, InputError, messageOf } from '../errors.ts'
import { parseManifests, type Manifest } from './manifest.ts'

const MANIFEST_NAME = /\.(ya?ml|json)$/

/** Objects in the order of the paths, and within a folder by file name. Throws InputError for all that is wrong. */
export async function readManifests(paths: readonly string[]): Promise<readonly Manifest[]> {
  const problems: string[] = []
  const files = await collect(paths, filesOf, problems)
  const manifests = await collect(files, async (file) => parseManifests(await readText(file), file), problems)
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
  return manifests
}

/** What `read` makes of each source; the problems of one do not hide those of the next. */
async function collect<Result>(
  sources: readonly string[],
  read: (source: string) => Promise<readonly Result[]>,
  problems: string[],
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const source of sources) {
    try {
      results.push(...(await read(source)))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems)
    }
  }
  return results
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (path === '-') return [path]
  const status = await attempt(path, () => stat(path))
  if (!status.isDirectory()) return [path]
  const entries = await attempt(path, () => readdir(path, { recursive: true, withFileTypes: true }))
  const files = entries
    .filter((entry) => !entry.isDirectory() && MANIFEST_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  if (files.length === 0)
    throw new InputError('manifest-unreadable', [`${path}: the folder has no .yaml, .yml or .json file`])
  return files.toSorted()
}

async function readText(file: string): Promise<string> {
  if (file === '-') return await readStream(process.stdin)
  const bytes = await attempt(file, () => readFile(file))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InputError('manifest-unreadable', [`${file}: it is not UTF-8 text`])
  }
}

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    throw new InputError('manifest-unreadable', [`${path}: ${systemProblem(error)}`])
  }
}

function systemProblem(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOENT') return 'there is no such file or folder'
  if (code === 'EACCES') return 'no permission to read it'
  return messageOf(error)
}
