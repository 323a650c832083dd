/** Where the items of a JSON List begin. Positions of every value would take ten times as long, and as much memory. */

/** Returns the offset of each item of the member `items`; undefined unless all of them are objects. */
export function itemOffsets(text: string, count: number): readonly number[] | undefined {
  const token = /["{}[\]]/g
  let depth = 0
  let isInItems = false
  let offsets: number[] = []
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const at = found.index
    switch (found[0]) {
      case '"': {
        const end = endOfString(text, at)
        if (end === undefined) return undefined
        token.lastIndex = end
        // The last member of a name counts.
        if (depth === 1 && isItemsKey(text, at, end)) [isInItems, offsets] = [true, []]
        break
      }
      case '{':
        if (depth === 2 && isInItems) offsets.push(at)
        depth++
        break
      case '[':
        depth++
        break
      default:
        depth--
        if (depth === 1) isInItems = false
    }
  }
  return offsets.length === count ? offsets : undefined
}

function isItemsKey(text: string, start: number, end: number): boolean {
  return text.slice(start, end) === '"items"' && /^\s*:\s*\[/.test(text.slice(end, end + 20))
}

/** Returns the offset after the string's closing quote. */
export function endOfString(text: string, start: number): number | undefined {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return undefined
}
