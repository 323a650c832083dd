/** Files that kubelet replaces while the process runs. */
import { watch } from 'node:fs'
import { dirname } from 'node:path'

const RECHECK_MS = 60_000
/** Files that belong together change one after the other, so they are read once they have settled. */
const SETTLE_MS = 100

/**
 * Calls `reread` after a change in the files' folders, and once a minute in case a change went unnoticed. kubelet swaps a
 * link in the folder, so the files themselves need not change. `failed` gets errors of watching. Returns a function that
 * stops it.
 */
export function watchFiles(
  files: readonly string[],
  reread: () => Promise<void>,
  failed: (error: unknown) => void,
): () => void {
  let pending: NodeJS.Timeout | undefined
  const schedule = (): void => {
    clearTimeout(pending)
    pending = setTimeout(() => void reread(), SETTLE_MS)
  }
  const folders = new Set(files.map((file) => dirname(file)))
  const watchers = [...folders].map((folder) => watch(folder, schedule).on('error', failed))
  const ticker = setInterval(() => void reread(), RECHECK_MS).unref()
  return () => {
    clearTimeout(pending)
    clearInterval(ticker)
    for (const watcher of watchers) watcher.close()
  }
}
