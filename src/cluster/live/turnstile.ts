/** Lets only so many through at a time, in the order in which they came. */
export interface Turnstile {
  pass<Result>(action: () => Promise<Result>): Promise<Result>
}

export function createTurnstile(width: number): Turnstile {
  const waiting: (() => void)[] = []
  let inside = 0
  return {
    async pass(action) {
      if (inside < width) inside++
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await action()
      } finally {
        const next = waiting.shift()
        if (next === undefined) inside--
        else next()
      }
    },
  }
}
