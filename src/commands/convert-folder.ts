/**
 * Writes a conversion into a folder: a folder for each namespace, for its team's Git, and one for the platform team, each
 * with a kustomization.yaml. A record of hashes tells what someone edited since: such a file is never touched.
 */
import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Conversion } from '../conversion/convert-ingresses.ts'
import { InputError, messageOf } from '../errors.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { isObject, parseJson, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { toYaml } from '../kubernetes/yaml-text.ts'

export interface FolderResult {
  readonly written: readonly string[]
  readonly removed: readonly string[]
  readonly unchanged: number
  /** Files that someone edited or created, which therefore stay as they are. */
  readonly kept: readonly string[]
}

const RECORD = '.istio-onramp.json'
const PLATFORM = 'platform'
const TEAMS = 'namespaces'

/** Throws InputError. */
export async function writeFolder(folder: string, conversion: Conversion): Promise<FolderResult> {
  try {
    await mkdir(folder, { recursive: true })
    return await synchronize(folder, filesOf(conversion))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('output-unwritable', [`--output-folder ${folder}: ${messageOf(error)}`])
  }
}

/** By path within the folder. The Ingresses' namespaces are the teams'; everything else is the platform team's. */
export function filesOf({ objects, report }: Pick<Conversion, 'objects' | 'report'>): ReadonlyMap<string, string> {
  const teams = new Set(report.map(({ ingress }) => ingress.slice(0, ingress.indexOf('/'))))
  const files = new Map<string, string>()
  const folderOf = (object: JsonObject) => {
    const { namespace } = referenceTo(object)
    return teams.has(namespace) ? `${TEAMS}/${fileName(namespace)}` : PLATFORM
  }
  for (const [folder, group] of groupBy(objects, folderOf)) {
    const resources = [...groupBy(group, nameOfFile)].map(([name, same]) => {
      files.set(`${folder}/${name}`, same.map(toYaml).join('---\n'))
      return name
    })
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: resources.toSorted(),
    }
    files.set(`${folder}/kustomization.yaml`, toYaml(kustomization))
  }
  return files
}

/** `virtualservice-web.shop.example.com.yaml`, with the namespace where a folder has several. */
function nameOfFile(object: JsonObject): string {
  const { kind, namespace, name } = referenceTo(object)
  return `${fileName(`${kind.toLowerCase()}-${namespace}-${name}`)}.yaml`
}

/** A name from a manifest never leads out of the folder. */
function fileName(name: string): string {
  const plain = name.replaceAll(/[^a-z0-9.-]+/gi, '-').replace(/^\.+/, '')
  if (plain === name && name.length <= 200) return plain
  return `${plain.slice(0, 180)}-${hashOf(name).slice(0, 8)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * | on disk          | in the record | now         | is                            |
 * |------------------|---------------|-------------|-------------------------------|
 * | absent           | any           | generated   | written                       |
 * | as recorded      | yes           | the same    | unchanged                     |
 * | as recorded      | yes           | different   | written                       |
 * | as recorded      | yes           | gone        | removed                       |
 * | as generated     | no            | generated   | recorded                      |
 * | anything else    | any           | any         | kept                          |
 */
async function synchronize(folder: string, files: ReadonlyMap<string, string>): Promise<FolderResult> {
  const record = await readRecord(folder)
  const next = new Map<string, string>()
  const result = { written: [] as string[], removed: [] as string[], kept: [] as string[], unchanged: 0 }
  for (const path of [...new Set([...record.keys(), ...files.keys()])].toSorted()) {
    const known = record.get(path)
    const wanted = files.get(path)
    const found = await readIfFile(folder, path)
    if (found !== undefined && found === wanted) {
      result.unchanged++
      next.set(path, hashOf(found))
    } else if (found !== undefined && hashOf(found) !== known) {
      if (wanted !== undefined || known !== undefined) result.kept.push(path)
      if (known !== undefined) next.set(path, known)
    } else if (wanted !== undefined) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), wanted)
      result.written.push(path)
      next.set(path, hashOf(wanted))
    } else if (found !== undefined) {
      await rm(join(folder, path))
      result.removed.push(path)
    }
  }
  const text = `${JSON.stringify({ files: Object.fromEntries(next) }, null, 2)}\n`
  if (result.written.length > 0 || result.removed.length > 0 || next.size !== record.size)
    await writeFile(join(folder, RECORD), text)
  return result
}

async function readRecord(folder: string): Promise<ReadonlyMap<string, string>> {
  const text = await readIfFile(folder, RECORD)
  if (text === undefined) return new Map()
  const files = parseJson(text)
  const entries = isObject(files) ? files['files'] : undefined
  if (!isObject(entries))
    throw new InputError('output-unwritable', [
      `${join(folder, RECORD)}: is not a record of this program; move it away`,
    ])
  const isOwn = (path: string) => /^(?:platform|namespaces\/[\w.-]+)\/[\w.-]+$/.test(path) && !path.includes('..')
  return new Map(
    Object.entries(entries).filter(
      (entry): entry is [string, string] => isOwn(entry[0]) && typeof entry[1] === 'string',
    ),
  )
}

/** Undefined if there is none. A link or a folder in its place is an error: writing could lead elsewhere. */
async function readIfFile(folder: string, path: string): Promise<string | undefined> {
  const parts = path.split('/')
  for (const [index] of parts.entries()) {
    const part = join(folder, ...parts.slice(0, index + 1))
    const found = await lstat(part).catch((error: unknown) => {
      if (isObject(error) && error['code'] === 'ENOENT') return undefined
      throw error
    })
    if (found === undefined) return undefined
    const isLast = index === parts.length - 1
    if (isLast ? !found.isFile() : !found.isDirectory())
      throw new InputError('output-unwritable', [`${part}: a ${isLast ? 'file' : 'folder'} is expected there`])
  }
  return readFile(join(folder, path), 'utf8')
}

/** One line for people, and one for each file that was kept. */
export function folderText(folder: string, { written, removed, unchanged, kept }: FolderResult): string {
  const counts = `${folder}: ${written.length} files written, ${removed.length} removed, ${unchanged} unchanged, ${kept.length} kept`
  const lines = kept.map(
    (path) => `${join(folder, path)}: was edited, so it is left as it is; delete it and run again to have it generated`,
  )
  return [counts, ...lines].map((line) => `${line}\n`).join('')
}
