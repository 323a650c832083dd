/**
 * Returns the prefix that ingress-nginx strips by its documented idiom, the path `/prefix(/|$)(.*)` with the rewrite
 * target `/$2` (https://kubernetes.github.io/ingress-nginx/examples/rewrite/). Returns undefined for any other rewrite.
 */
export function strippedPrefix(path: string, rewriteTarget: string): string | undefined {
  if (rewriteTarget !== '/$2') return undefined
  const prefix = /^(\/[\w\-./~]*?)\/?\(\/\|\$\)\(\.\*\)$/.exec(path)?.[1]
  return prefix === '' || prefix === '/' ? undefined : prefix?.replaceAll('\\.', '.')
}
