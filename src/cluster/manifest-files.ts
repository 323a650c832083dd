/** Reads manifests from files, folders (recursively) and standard input. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import { codeOf, InputError, messageOf } from '../errors.ts'
import { readDocuments, type Manifest, type ManifestText } from './manifest.ts'

const MANIFEST_NAME = /\.(ya?ml|json)$/
/** Folders of tools, whose contents are not the user's. */
const IGNORED_FOLDER = /(?:^|\/)(?:\.git|node_modules)\//

/** Returns objects in the order of the paths, within a folder by file name. Throws InputError with all problems. */
export async function readManifests(paths: readonly string[], needsNames = false): Promise<readonly Manifest[]> {
  const problems: string[] = []
  const manifests: Manifest[] = []
  for await (const file of readFiles(paths, problems, needsNames))
    for (const document of readDocuments(file)) {
      problems.push(...document.problems)
      manifests.push(...document.manifests)
    }
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
  return manifests
}

/** The text that was read last, so that a command that reads one large file twice has it in memory once. */
export interface LastText {
  file?: string
  text?: string
}

/** Yields the texts of all files, one at a time. Files that cannot be read are added to `problems`. */
export async function* readFiles(
  paths: readonly string[],
  problems: string[],
  needsNames = false,
  last: LastText = {},
): AsyncGenerator<ManifestText> {
  for (const path of paths) {
    const listed = await orProblem(problems, () => filesOf(path))
    for (const file of listed ?? []) {
      const text = last.file === file ? last.text : await orProblem(problems, () => readText(file))
      Object.assign(last, { file, text })
      if (text !== undefined) yield { file, text, isInFolder: file !== path, needsNames }
    }
  }
}

/** A problem with one path does not hide the next. */
async function orProblem<Result>(problems: string[], action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (path === '-') return [path]
  const status = await attempt(path, () => stat(path))
  if (!status.isDirectory()) return [path]
  const entries = await attempt(path, () => readdir(path, { recursive: true, withFileTypes: true }))
  const files = entries
    .filter((entry) => !entry.isDirectory() && MANIFEST_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !IGNORED_FOLDER.test(file.slice(path.length)))
  if (files.length === 0)
    throw new InputError('manifest-unreadable', [`${path}: the folder has no .yaml, .yml or .json file`])
  return files.toSorted()
}

/** Standard input can be read only once, and a command may need it twice. */
const standardInput = new WeakMap<Readable, Promise<string>>()

async function readOnce(stream: Readable): Promise<string> {
  const text = standardInput.get(stream) ?? readStream(stream)
  standardInput.set(stream, text)
  return await text
}

async function readText(file: string): Promise<string> {
  if (file === '-') return await readOnce(process.stdin)
  const bytes = await attempt(file, () => readFile(file))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new InputError('manifest-unreadable', [`${file}: not UTF-8 text`])
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
  if (code === 'ENOENT') return 'no such file or folder'
  if (code === 'EACCES') return 'no permission to read it'
  return messageOf(error)
}
