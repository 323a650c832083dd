/** A rewrite that replaces the prefix of a path and keeps the rest. */
export interface PrefixRewrite {
  /** Without a slash at the end, except for `/`. */
  readonly prefix: string
  /** Likewise. */
  readonly replacement: string
  /** What the path matches that whole elements of the prefix do not, or the other way round; undefined for nothing. */
  readonly difference: string | undefined
}

const LITERAL = String.raw`\/[\w\-./~]*?`

/**
 * The forms in which people write it, with the group that has the rest
 * (https://kubernetes.github.io/ingress-nginx/examples/rewrite/).
 *
 * | path              | group | matches besides /x and /x/...     |
 * |-------------------|-------|-----------------------------------|
 * | `/x(/|$)(.*)`     | 2     | nothing                           |
 * | `/x($|/)(.*)`     | 2     | nothing                           |
 * | `/(.*)`           | 1     | nothing: everything               |
 * | `/x/(.*)`         | 1     | not /x                            |
 * | `/x/?(.*)`        | 1     | /xy                               |
 */
const FORMS: readonly (readonly [path: RegExp, group: number, difference: (prefix: string) => string | undefined])[] = [
  [new RegExp(String.raw`^(${LITERAL})\/?\((?:\/\|\$|\$\|\/)\)\(\.\*\)$`), 2, () => undefined],
  [/^(\/)\(\.\*\)$/, 1, () => undefined],
  [new RegExp(String.raw`^(${LITERAL})\/\(\.\*\)$`), 1, (prefix) => `${prefix} is now matched as well`],
  [new RegExp(String.raw`^(${LITERAL})\/\?\(\.\*\)$`), 1, (prefix) => `${prefix}x is no longer matched`],
]

/** Returns undefined for a rewrite that is not such an idiom, `/prefix(/|$)(.*)` with `/$2` or `/other/$2`. */
export function prefixRewrite(path: string, rewriteTarget: string): PrefixRewrite | undefined {
  for (const [pattern, group, difference] of FORMS) {
    const prefix = pattern.exec(path)?.[1]?.replaceAll('\\.', '.')
    if (prefix === undefined || (prefix === '/' && group === 2)) continue
    const replacement = /^(\/(?:[\w\-.~]+(?:\/[\w\-.~]+)*\/)?)\$(\d)$/.exec(rewriteTarget)
    if (replacement === null || Number(replacement[2]) !== group) continue
    const target = replacement[1] ?? '/'
    // Istio would put `/base` directly before the path, without its slash.
    if (prefix === '/' && target !== '/') continue
    return { prefix, replacement: target === '/' ? '/' : target.slice(0, -1), difference: difference(prefix) }
  }
  return undefined
}
