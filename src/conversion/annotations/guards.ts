/** Controllers whose annotations are not known one by one: whatever may keep strangers out is an error. */
import { unsupported, type Entry } from './entry.ts'

const GUARD = unsupported(
  'error',
  'SECURITY: it may hold authentication, address lists or other policies, which are not read here: say them again in Istio',
)

const REWRITE = unsupported(
  'error',
  'paths are changed in a way that is not read here: say it again in the VirtualService',
)

/** Names of controllers whose annotations are not known one by one: what keeps somebody out must not go unsaid. */
export const GUARD_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^(.*(?:auth|jwt|oidc|plugin|polic|protect|waf|allow|deny|block|whitelist|secret|snippet).*)$/, () => GUARD],
  [/^(.*(?:rewrite|strip-path|regex).*)$/, () => REWRITE],
]
