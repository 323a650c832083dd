/** Controllers whose annotations are not known one by one: whatever may keep strangers out is an error. */
import { unsupported, type Entry } from './entry.ts'

const GUARD = unsupported(
  'error',
  'SECURITY: it may contain authentication, address lists or other policies, which are not converted: recreate them in Istio',
)

const REWRITE = unsupported(
  'error',
  'it changes paths in a way that is not converted: recreate it in the VirtualService',
)

/** Controllers whose annotations are not known one by one: whatever may keep a client out is reported as an error. */
export const GUARD_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^(.*(?:auth|jwt|oidc|plugin|polic|protect|waf|allow|deny|block|whitelist|secret|snippet).*)$/, () => GUARD],
  [/^(.*(?:rewrite|strip-path|regex).*)$/, () => REWRITE],
]
