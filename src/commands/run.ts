/** One run of the command line: where it writes, and how it ends. */
export interface Streams {
  readonly stdout: Output
  readonly stderr: Output
}

interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** For `drain`, after a write that returned false. */
  once?(event: 'drain', listener: () => void): unknown
}

/** 0: done. 1: findings. 2: bad usage, or input that cannot be read. */
export type ExitCode = 0 | 1 | 2

export interface Run extends Streams {
  exitCode: ExitCode
}
