/** Who imports whom within a folder, types included. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The files that each file imports or exports from; paths are relative to the working directory. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

export function importGraph(folder: string): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return new Map(files.map((file) => join(folder, file)).map((file) => [file, importsOf(file)]))
}

function importsOf(file: string): readonly string[] {
  const specifiers = [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
  return specifiers.map(([, specifier = '']) => join(dirname(file), specifier))
}

/** Returns one circle as the path that leads back to its first file, or undefined if there is none. */
export function circleIn(graph: ImportGraph): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...path, file])
      if (circle !== undefined) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const circle = visit(file, [])
    if (circle !== undefined) return circle
  }
  return undefined
}
