/** Bounds on request bodies. `test/server` checks them against the chart's memory limit. */
export interface BodyBounds {
  /** Bodies up to this size never wait for larger ones. */
  readonly smallBytes: number
  /** Bytes of all small bodies together. */
  readonly smallTotal: number
  /** Milliseconds from the headers to the last byte. */
  readonly deadline: number
  /** Milliseconds that a large body waits for a slot. */
  readonly patience: number
  /** Milliseconds that a large body may take to arrive while another one waits for its slot. */
  readonly turn: number
}

const MIB = 1024 * 1024

export const BODY_BOUNDS: BodyBounds = {
  smallBytes: MIB,
  smallTotal: 32 * MIB,
  deadline: 30_000,
  patience: 10_000,
  turn: 5_000,
}
