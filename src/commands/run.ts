/** One run of the command line: its streams and its exit code. */
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

/** 0: done. 1: findings. 2: wrong usage, or input that cannot be read. */
export type ExitCode = 0 | 1 | 2

export interface Run extends Streams {
  exitCode: ExitCode
}
