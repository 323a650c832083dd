/** Reads a file in pieces of whole documents, so that a large one needs no more memory than its largest document. */
import { open, type FileHandle } from 'node:fs/promises'
import { InputError } from '../errors.ts'
import { splitDocuments } from './manifest-documents.ts'

export interface Piece {
  readonly text: string
  readonly start: PieceStart
}

/** Where a piece begins in its file. */
export interface PieceStart {
  /** The file's line of the first character, counted from 1. */
  readonly line: number
  /** The number of documents before it. */
  readonly documents: number
}

export const WHOLE: PieceStart = { line: 1, documents: 0 }

const PIECE_BYTES = 1 << 23
/** At a time, of what does not know its size, such as a pipe. */
const LEAST_BYTES = 1 << 16

/** Most files are one piece. Throws InputError for text that is not UTF-8, and the errors of the file system. */
export async function* readPieces(file: string, bytes = PIECE_BYTES): AsyncGenerator<Piece> {
  const handle = await open(file)
  try {
    yield* piecesOf(handle, file, bytes)
  } finally {
    await handle.close()
  }
}

async function* piecesOf(handle: FileHandle, file: string, bytes: number): AsyncGenerator<Piece> {
  let start = WHOLE
  let rest: Buffer = Buffer.alloc(0)
  // A buffer of the file's own size: thousands of small files in large buffers keep the garbage collector busy.
  let left = (await handle.stat()).size
  for (;;) {
    const size = Math.min(Math.max(bytes, rest.length), Math.max(left + 1, LEAST_BYTES))
    const more = await readMore(handle, size)
    left -= more.length
    const isEnd = more.length < size
    const known = rest.length === 0 ? more : Buffer.concat([rest, more])
    const cut = isEnd ? known.length : cutOf(known, start)
    rest = known.subarray(cut)
    if (cut > 0 || (isEnd && start === WHOLE)) {
      const text = decode(known.subarray(0, cut), file)
      yield { text, start }
      if (!isEnd) start = startAfter(text, start)
    }
    if (isEnd) return
  }
}

/** Returns fewer bytes only at the end of the file. */
async function readMore(handle: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  let length = 0
  while (length < bytes) {
    const { bytesRead } = await handle.read(buffer, length, bytes - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

const SEPARATOR = '\n---'

/** Returns the start of the last separator that surely only separates; 0 if there is none. A JSON file is not cut. */
function cutOf(bytes: Buffer, start: PieceStart): number {
  if (start === WHOLE && /^\s*\{/.test(bytes.toString('latin1', 0, 4096))) return 0
  for (let at = bytes.lastIndexOf(SEPARATOR); at > 0;) {
    const before = bytes.lastIndexOf(SEPARATOR, at - 1)
    if (hasContent(bytes.subarray(Math.max(before, 0), at))) return at + 1
    at = before
  }
  return 0
}

/** Directives and comments belong to what follows the separator. */
function hasContent(bytes: Buffer): boolean {
  return /^[A-Za-z]/m.test(bytes.toString('latin1', 0, 1 << 16))
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new InputError('manifest-unreadable', [`${file}: not UTF-8 text`])
  }
}

function startAfter(text: string, { line, documents }: PieceStart): PieceStart {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
  let count = 0
  for (const { line: first } of splitDocuments(text, line)) if (first > 0) count++
  return { line: line + lines, documents: documents + count }
}
