/** Reads manifests from files, folders (recursively) and standard input. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text as readStream } from 'node:stream/consumers'
import { codeOf, InputError, messageOf } from '../errors.ts'
import { readDocuments, type ManifestText } from './manifest.ts'
import { type Manifest } from './manifest-source.ts'
import { readPieces, WHOLE, type Piece } from './manifest-pieces.ts'

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

/**
 * What a command has read and needs again: the last file, if it is small, and everything that can be read only once
 * (`-f <(helm template ...)`).
 */
export interface LastText {
  file?: string
  text?: string
  readonly streams?: Map<string, string>
}

/** Yields the texts of all files, one at a time, a large one in pieces. Files that cannot be read go to `problems`. */
export async function* readFiles(
  paths: readonly string[],
  problems: string[],
  needsNames = false,
  last: LastText = {},
): AsyncGenerator<ManifestText> {
  for (const path of paths) {
    const listed = await orProblem(problems, () => filesOf(path))
    for (const file of listed ?? []) {
      const pieces = piecesOf(file, last)
      for (;;) {
        const piece = await orProblem(problems, () => pieces.next())
        if (piece === undefined || piece.done === true) break
        const { text, start } = piece.value
        yield { file, text, isInFolder: file !== path, needsNames, start }
      }
    }
  }
}

async function* piecesOf(file: string, last: LastText): AsyncGenerator<Piece, undefined> {
  const known = last.file === file ? last.text : last.streams?.get(file)
  if (known !== undefined) yield { text: known, start: WHOLE }
  else if (file === '-') yield { text: await readOnce(process.stdin), start: WHOLE }
  else if (last.streams !== undefined && !(await attempt(file, () => stat(file))).isFile()) {
    const text = await readStreamedFile(file)
    last.streams.set(file, text)
    yield { text, start: WHOLE }
  } else
    for await (const piece of withProblems(file)) {
      Object.assign(last, piece.start === WHOLE ? { file, text: piece.text } : { file: '', text: undefined })
      yield piece
    }
}

async function readStreamedFile(file: string): Promise<string> {
  const texts: string[] = []
  for await (const { text } of withProblems(file)) texts.push(text)
  return texts.join('')
}

/** Throws InputError. */
async function* withProblems(file: string): AsyncGenerator<Piece, undefined> {
  const pieces = readPieces(file)
  for (;;) {
    const piece = await attempt(file, async () => await pieces.next())
    if (piece.done === true) return
    yield piece.value
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

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('manifest-unreadable', [`${path}: ${systemProblem(error)}`])
  }
}

function systemProblem(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOENT') return 'no such file or folder'
  if (code === 'EACCES') return 'no permission to read it'
  return messageOf(error)
}
