/** Reads access logs from files, folders (recursively), gzip and standard input, a block at a time. */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { documentLines, isDocument } from '../callers/document-lines.ts'
import type { AccessLogFormat as LogFormat } from '../istio/control-plane.ts'
import { createLogReader, type LogReader } from '../callers/read-line.ts'
import { createTally, type Tallied } from '../callers/tally.ts'
import { codeOf, InputError, messageOf } from '../errors.ts'

export interface ReadLogs extends Tallied {
  readonly counts: Readonly<Record<'connection' | 'message' | 'unreadable', number>>
  /** The first lines that could not be read. */
  readonly unreadable: readonly UnreadableLine[]
}

export interface UnreadableLine {
  readonly file: string
  readonly line: number
  readonly text: string
}

/** A source of log lines with its name for messages. */
export interface LogSource {
  readonly name: string
  readonly open: () => AsyncIterable<Buffer>
}

const BLOCK = 1 << 20
/** Characters of one line. Envoy's longest are 60 KiB of request headers. */
const LONGEST_LINE = 1 << 20
const MOST_SAMPLES = 3
const SAMPLE = 200

/** Returns the files of the paths. Throws InputError. */
export async function logFiles(paths: readonly string[], stdin: Readable): Promise<readonly LogSource[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new InputError('access-log-unreadable', ['--access-log -: standard input can be read only once'])
  const files: LogSource[] = []
  for (const path of paths)
    if (path === '-') files.push({ name: 'standard input', open: () => plain(stdin, 'standard input') })
    else for (const file of await filesOf(path)) files.push({ name: file, open: () => openFile(file) })
  return files
}

/** Reads one source after the other. `formats` are custom ones. Throws InputError. */
export async function readLogs(sources: readonly LogSource[], formats: readonly LogFormat[]): Promise<ReadLogs> {
  const tally = createTally()
  const counts = { connection: 0, message: 0, unreadable: 0 }
  const unreadable: UnreadableLine[] = []
  for (const { name, open } of sources) {
    const read: LogReader = createLogReader(formats)
    await readSource(name, open, (text, line) => {
      const found = read(text)
      if (found.kind === 'empty') return
      counts[found.kind] += 1
      if (found.kind === 'connection') tally.add(found.fields)
      if (found.kind === 'unreadable' && unreadable.length < MOST_SAMPLES)
        unreadable.push({ file: name, line, text: sampleOf(text) })
    })
  }
  return { ...tally.result(), counts, unreadable }
}

/** Control characters would reach the terminal. */
function sampleOf(text: string): string {
  const decoded = Buffer.from(text.slice(0, SAMPLE), 'latin1').toString('utf8')
  return decoded.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}

async function filesOf(path: string): Promise<readonly string[]> {
  const status = await attempt(path, () => stat(path))
  if (!status.isDirectory()) return [path]
  const entries = await attempt(path, () => readdir(path, { recursive: true, withFileTypes: true }))
  const files = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
  if (files.length === 0) throw new InputError('access-log-unreadable', [`${path}: the folder has no files`])
  return files.toSorted()
}

function openFile(file: string): AsyncIterable<Buffer> {
  return plain(createReadStream(file, { highWaterMark: BLOCK }), file)
}

/** Unpacks gzip, whatever the name of the file is. */
async function* plain(stream: Readable, name: string): AsyncGenerator<Buffer> {
  const blocks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first = await attempt(name, () => blocks.next())
  if (first.done === true) return
  const rest = continued(first.value, blocks)
  if (first.value[0] === 0x1f && first.value[1] === 0x8b) {
    const unpacked = pipeline(rest, createGunzip({ chunkSize: BLOCK }), () => undefined)
    yield* caught(name, unpacked as AsyncIterable<Buffer>)
  } else yield* caught(name, rest)
}

async function* continued(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

async function* caught(name: string, blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const iterator = blocks[Symbol.asyncIterator]()
  for (let next = await attempt(name, () => iterator.next()); next.done !== true;) {
    yield next.value
    next = await attempt(name, () => iterator.next())
  }
}

type OnLine = (text: string, line: number) => void

async function readSource(name: string, open: LogSource['open'], onLine: OnLine): Promise<void> {
  let splitter: Splitter | undefined
  let isFirst = true
  for await (const block of open()) {
    if (block.includes(0)) throw new InputError('access-log-unreadable', [`${name}: ${binaryProblem(block)}`])
    // One byte is one character: what is read of a line is ASCII, and this is the fastest way to a string.
    const text = block.toString('latin1')
    if (isFirst) splitter = isDocument(text.slice(0, 1000)) ? splitDocument(onLine, name) : splitLines(onLine)
    isFirst = false
    splitter?.add(text)
  }
  splitter?.end()
}

/** Cuts blocks into lines. */
interface Splitter {
  add(block: string): void
  end(): void
}

function splitLines(onLine: OnLine): Splitter {
  let line = 0
  let rest = ''
  return {
    add(block) {
      let at = 0
      for (let end = block.indexOf('\n'); end !== -1; end = block.indexOf('\n', at)) {
        onLine(rest === '' ? block.slice(at, end) : rest + block.slice(at, end), ++line)
        rest = ''
        at = end + 1
      }
      // The rest of a line that is too long to be one is dropped: its beginning counts as a line that cannot be read.
      rest = `${rest}${block.slice(at)}`.slice(0, LONGEST_LINE)
    },
    end() {
      if (rest !== '') onLine(rest, ++line)
    },
  }
}

function splitDocument(onLine: OnLine, name: string): Splitter {
  let line = 0
  const document = documentLines((text) => {
    for (const one of text.split('\n')) onLine(one, ++line)
  })
  return {
    add: (block) => document.add(block),
    end() {
      if (document.isOpen()) throw new InputError('access-log-unreadable', [`${name}: the JSON document ends early`])
      if (line === 0) onLine('a JSON document without log lines', 1)
    },
  }
}

const PACKED: readonly (readonly [string, readonly number[]])[] = [
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
]

function binaryProblem(block: Buffer): string {
  const packed = PACKED.find(([, magic]) => magic.every((byte, index) => block[index] === byte))
  if (packed !== undefined) return `it is packed with ${packed[0]}; only gzip is unpacked`
  const isUtf16 = (block[0] === 0xff && block[1] === 0xfe) || (block[0] === 0xfe && block[1] === 0xff)
  return isUtf16 ? 'it is UTF-16 text; save it as UTF-8' : 'it is a binary file; a text, JSON or gzip file is expected'
}

async function attempt<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('access-log-unreadable', [`${name}: ${problemOf(error)}`])
  }
}

function problemOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'no such file or folder'
    case 'EACCES':
      return 'no permission to read it'
    case 'Z_BUF_ERROR':
      return 'the gzip data ends early, so the file is cut off'
    case 'Z_DATA_ERROR':
      return 'the gzip data is damaged'
    default:
      return messageOf(error)
  }
}
