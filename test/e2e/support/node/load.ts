/** Steady creation of pods that the webhook has to rewrite: each a dry run, which every webhook sees and nothing keeps. */
import { messageOf } from '../../../support/api-server/client.ts'
import { createProbed, isRewritten } from './release.ts'

export interface LoadResult {
  readonly created: number
  /** Created, but as if no webhook had seen it. */
  readonly unpatched: number
  /** What the API server said to the others. */
  readonly failures: readonly string[]
}

export interface Load {
  /** Resolves once what is under way has been answered. */
  stop(): Promise<LoadResult>
}

export function startLoad(namespace: string, workers = 8): Load {
  const failures: string[] = []
  let [created, unpatched, isRunning] = [0, 0, true]
  const work = async (): Promise<void> => {
    while (isRunning) {
      try {
        const pod = await createProbed(namespace)
        created += 1
        if (!isRewritten(pod)) unpatched += 1
      } catch (error) {
        failures.push(messageOf(error))
      }
    }
  }
  const ended = Promise.all(Array.from({ length: workers }, work))
  return {
    async stop() {
      isRunning = false
      await ended
      return { created, unpatched, failures }
    },
  }
}
