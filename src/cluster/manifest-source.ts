/** An object of a file, and where it is. */
import type { JsonObject } from '../kubernetes/json.ts'

export interface Manifest {
  readonly object: JsonObject
  readonly source: Source
}

export interface Source {
  /** A path, or `-` for standard input. */
  readonly file: string
  /** Counts from 1. */
  readonly document: number
  readonly line: number
  /** The object's path in the document: empty, or `['items', 3]` in a List. */
  readonly path: readonly (string | number)[]
}

export function describeSource({ file, document, line }: Pick<Source, 'file' | 'document' | 'line'>): string {
  return `${nameOfFile(file)}, document ${document}, line ${line}`
}

export function nameOfFile(file: string): string {
  return file === '-' ? 'standard input' : file
}
