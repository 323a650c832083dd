/** Reads a large List item by item: the nodes of one item at a time instead of all, and only where an item needs them. */
import { isObject, type Json, type JsonObject } from './json.ts'
import { blockItems, itemText } from './yaml-list.ts'
import { nodesOf } from './yaml-nodes.ts'
import { readSimpleYaml } from './yaml-simple.ts'
import { valueOf, type DuplicateKey, type ReadValue, type YamlValue } from './yaml-value.ts'

/** Returns the result of `valueOf(nodesOf(text))`, or undefined for a text that cannot be read item by item. */
export function readBlockList(text: string): ReadValue | undefined {
  const found = blockItems(text)
  const [first] = found?.starts ?? []
  if (found === undefined || first === undefined) return undefined
  try {
    const outline = shifted(valueOf(nodesOf(text.slice(0, first) + text.slice(found.end))), first, found.end - first)
    if (!hasNoItems(outline)) return undefined
    const items = found.starts.map((start, index) => readItem(itemText(text, found, index), start))
    const value = { ...(outline.value as Record<string, YamlValue>), items: items.map((item) => item.value) }
    return { value, duplicates: inOrder([outline, ...items].flatMap(({ duplicates }) => duplicates)) }
  } catch {
    return undefined
  }
}

function hasNoItems({ value, duplicates }: ReadValue): boolean {
  return (
    isObject(value) && (value as Json as JsonObject).items === null && !duplicates.some(({ key }) => key === 'items')
  )
}

const KEY = 'items:\n'

/** Throws YamlError. */
function readItem(part: string, start: number): { readonly value: YamlValue } & Pick<ReadValue, 'duplicates'> {
  const text = KEY + part
  const simple = readSimpleYaml(text)
  const { value, duplicates } =
    simple === undefined ? shifted(valueOf(nodesOf(text)), 0, start - KEY.length) : { value: simple, duplicates: [] }
  return { value: onlyItem(value), duplicates }
}

function onlyItem(value: YamlValue | undefined): YamlValue {
  const items = isObject(value) ? (value as { readonly items?: YamlValue }).items : undefined
  if (!Array.isArray(items) || items.length !== 1) throw new TypeError('the part is not one item')
  return items[0] ?? null
}

function shifted({ value, duplicates }: ReadValue, from: number, by: number): ReadValue {
  return {
    value,
    duplicates: duplicates.map(({ key, offset }) => ({ key, offset: offset < from ? offset : offset + by })),
  }
}

function inOrder(duplicates: readonly DuplicateKey[]): readonly DuplicateKey[] {
  return duplicates.toSorted((left, right) => left.offset - right.offset)
}
