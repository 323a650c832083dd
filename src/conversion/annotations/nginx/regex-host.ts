/** Whether ingress-nginx treats every path of a host as a regular expression (docs/facts/ingress-nginx.md#rewrites). */
import { isRewritten, locationPath } from './rewritten-path.ts'
import type { HostRule } from '../../hosts/host-rule.ts'

/** `rules` are the host's rules, the oldest Ingress first. */
export function isRegexHost(rules: readonly HostRule[]): boolean {
  const mains = rules.filter(({ reading }) => reading.settings.canary === undefined)
  return mains.some(usesExpressions) || isRootRewritten(mains)
}

function usesExpressions({ reading: { settings }, rule }: HostRule): boolean {
  const { usesRegex, rewriteTarget } = settings
  if (usesRegex === true) return true
  return rewriteTarget !== undefined && rule.paths.some((path) => isRewritten(path, rewriteTarget, usesRegex))
}

/**
 * A host without a path `/` gets that location from its oldest Ingress, whose annotations then apply to it
 * (`createServers` in kubernetes/ingress-nginx internal/ingress/controller/controller.go).
 */
function isRootRewritten(mains: readonly HostRule[]): boolean {
  const [oldest] = mains
  const hasRoot = mains.some(({ rule }) =>
    rule.paths.some(({ path, pathType }) => locationPath(path) === '/' && pathType === 'Prefix'),
  )
  const target = oldest?.reading.settings.rewriteTarget
  return !hasRoot && target !== undefined && target !== '/'
}
