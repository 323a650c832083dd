/** Prints the documents of several files as one stream that kubectl reads document by document. */
import { readDocuments, type ManifestDocument, type ManifestText } from '../cluster/manifest.ts'
import { type Manifest } from '../cluster/manifest-source.ts'
import { WHOLE } from '../cluster/manifest-pieces.ts'
import { readFiles, type LastText } from '../cluster/manifest-files.ts'
import { printDocument, type PatchedManifest } from './manifest-yaml.ts'

/** The output of a command: standard output in pieces, and lines for people on standard error. */
export interface Output {
  readonly write: (text: string) => Promise<void> | void
  readonly tell: (line: string) => void
}

/**
 * Yields the documents of all files. Unusable and skipped documents are reported to `tell`; the problems are also
 * collected.
 */
export async function* documentsOf(
  paths: readonly string[],
  problems: string[],
  tell: Output['tell'],
  last?: LastText,
): AsyncGenerator<{ readonly file: ManifestText; readonly documents: Iterable<ManifestDocument> }> {
  const unreadable: string[] = []
  for await (const file of readFiles(paths, unreadable, true, last))
    yield { file, documents: reported(file, problems, tell) }
  problems.push(...unreadable)
}

function* reported(file: ManifestText, problems: string[], tell: Output['tell']): Generator<ManifestDocument> {
  for (const document of readDocuments(file)) {
    problems.push(...document.problems)
    for (const line of document.warnings) tell(`warning: ${line}`)
    if (document.skipped !== undefined) tell(document.skipped)
    yield document
  }
}

/** Decides one object; called in the order of the input. */
export type Patcher = (manifest: Manifest) => PatchedManifest

/**
 * Skips files of other tools. If all files are JSON, the output is a sequence of JSON values, otherwise YAML documents.
 */
export async function printManifests(
  paths: readonly string[],
  patch: Patcher,
  problems: string[],
  output: Output,
  last?: LastText,
): Promise<void> {
  const isJsonOnly = paths.every((path) => path.endsWith('.json'))
  let isFirst = true
  let printedLast = '\n'
  let waiting = ''
  for await (const { file, documents } of documentsOf(paths, problems, output.tell, last)) {
    let isStart = file.start === undefined || file.start === WHOLE
    for (const document of documents) {
      const printed = await printDocument(document, document.manifests.map(patch))
      for (const line of printed.notices) output.tell(line)
      if (printed.text === '' || (document.skipped !== undefined && isStart)) continue
      const joint =
        isStart && !isFirst
          ? jointBetween(printedLast, printed.text, isJsonOnly)
          : printedLast.endsWith('\n')
            ? ''
            : '\n'
      waiting += isStart && isFirst ? printed.text : joint + printed.text
      printedLast = printed.text
      isStart = false
      isFirst = false
      if (waiting.length < WRITTEN_AT_ONCE) continue
      await output.write(waiting)
      waiting = ''
    }
  }
  await output.write(waiting)
}

/** Characters. A write for each document would cost more than printing it. */
const WRITTEN_AT_ONCE = 1 << 16

function jointBetween(last: string, next: string, isJsonOnly: boolean): string {
  const lineEnd = last.endsWith('\n') ? '' : '\n'
  return isJsonOnly || next.startsWith('---') ? lineEnd : `${lineEnd}---\n`
}
