/**
 * The output of log lines. A full disk, a closed pipe or an unread pipe loses lines, which are counted. It never stops
 * admission, grows memory or delays the end of the process (docs/decisions/logs-are-buffered.md).
 */
import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LogStream {
  write(line: string): void
  /** Waits up to `patience` milliseconds until everything is written. Returns whether it is. */
  flush(patience: number): Promise<boolean>
}

export interface LogStreamOptions {
  readonly fd: number
  /** Bytes that may wait to be written; further lines are lost. */
  readonly mostBytes: number
  /** Milliseconds during which lines are collected into one write. */
  readonly gather: number
  readonly lost: (lines: number) => void
}

const RETRY_MS = 100

/** Returns a function that writes pino's member `time` in RFC 3339. Only the milliseconds of most lines are new. */
export function createLogTime(now: () => number): () => string {
  let second = Number.NaN
  let start = ''
  return () => {
    const milliseconds = now()
    const part = milliseconds % 1000
    if (milliseconds - part !== second) {
      second = milliseconds - part
      start = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${start}${String(part).padStart(3, '0')}Z"`
  }
}

export function createLogStream({ fd, mostBytes, gather, lost }: LogStreamOptions): LogStream {
  let lines: string[] = []
  let bytes = 0
  let isWriting = false
  let timer: NodeJS.Timeout | undefined

  const schedule = (wait: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      writeGathered()
    }, wait)
    timer.unref()
  }

  const writeGathered = (): void => {
    if (isWriting || lines.length === 0) return
    isWriting = true
    const count = lines.length
    const content = Buffer.from(lines.join(''))
    lines = []
    const finish = (): void => {
      isWriting = false
      bytes -= content.length
      if (lines.length > 0) schedule(gather)
    }
    const writeFrom = (offset: number): void => {
      write(fd, content, offset, content.length - offset, null, (error, written) => {
        if (error?.code === 'EAGAIN') {
          setTimeout(() => writeFrom(offset), RETRY_MS).unref()
          return
        }
        if (error !== null) lost(count)
        if (error === null && offset + written < content.length) writeFrom(offset + written)
        else finish()
      })
    }
    writeFrom(0)
  }

  return {
    write(line) {
      const length = Buffer.byteLength(line)
      if (bytes + length > mostBytes) {
        lost(1)
        return
      }
      lines.push(line)
      bytes += length
      schedule(gather)
    },
    async flush(patience) {
      const deadline = performance.now() + patience
      while ((isWriting || lines.length > 0) && performance.now() < deadline) {
        writeGathered()
        await sleep(5)
      }
      return !isWriting && lines.length === 0
    },
  }
}
