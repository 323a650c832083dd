/** ingress-nginx: rewritten paths, and paths that are regular expressions (docs/facts/ingress-nginx.md#rewrites). */
import { prefixRewrite } from '../../model/rewrite-idiom.ts'
import { isRewritten, literalTarget, locationPath } from './rewritten-path.ts'
import type { IngressPath } from '../../ingress/ingress.ts'
import { countGroups } from '../../model/regular-expression.ts'
import {
  approximate,
  converted,
  notNeeded,
  readFlag,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_REWRITE: AnnotationTable = nginxTable({
  'rewrite-target': rewriteEffect,
  'use-regex': whenTrue(() =>
    converted(
      { usesRegex: true },
      'every path of the host is a case-insensitive regular expression, as ingress-nginx has it',
    ),
  ),
  'preserve-trailing-slash': notNeeded('Istio never changes a trailing slash'),
})

function rewriteEffect(value: string, { target, ingress, sibling }: AnnotationPlace): Effect {
  const variable = /\$(?!\d)\{?\w*/.exec(value)?.[0]
  if (variable !== undefined)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: the nginx variable ${variable} has no equivalent in a rewrite; these paths are left out`,
      settings: { blockedBy: 'rewrite-target' },
    }
  if (/^https?:/.test(value))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value} makes nginx redirect; use temporal-redirect instead; these paths are left out`,
      settings: { blockedBy: 'rewrite-target' },
    }
  const paths = ingress.rules.flatMap((rule) => rule.paths)
  const usesRegex = readFlag(sibling('use-regex') ?? '')
  const rewritten = paths.filter((path) => isRewritten(path, value, usesRegex))
  const settings = { rewriteTarget: value }
  if (rewritten.length === 0) return { outcome: 'not-needed', level: 'info', message: leftAlone(value), settings }
  if (!/\$\d/.test(value)) return { ...converted(settings, staticMessage(value, rewritten)), level: 'warn' }
  const isPrintable = ({ path }: IngressPath) =>
    literalTarget(path, value) !== undefined || prefixRewrite(path, value) !== undefined
  if (target === 'gateway-api' && !rewritten.every(isPrintable))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: Gateway API has no rewrite with groups but the idioms that replace a prefix, such as /prefix(/|$)(.*) with /$2; the other paths are left out; --to istio supports it`,
      settings,
    }
  const without = rewritten.filter(({ path }) => lacksGroup(path, value))
  if (without.length > 0) return approximate('warn', settings, emptyGroupMessage(value, without))
  return converted(
    settings,
    target === 'istio' ? 'the groups are carried over' : 'the prefix is replaced; letter case now matters',
  )
}

function leftAlone(target: string): string {
  return `ingress-nginx does not rewrite if the path is already ${target}`
}

function staticMessage(target: string, rewritten: readonly IngressPath[]): string {
  const names = pathNames(rewritten)
  return `sends every request for ${names} to ${target}, as in ingress-nginx; to remove a prefix, write /prefix(/|$)(.*) and /$2`
}

/** In nginx, a group that the path does not have is empty. */
function lacksGroup(path: string, target: string): boolean {
  const groups = countGroups(path)
  return [...target.matchAll(/\$([1-9])/g)].some(([, group]) => Number(group) > groups)
}

function emptyGroupMessage(target: string, paths: readonly IngressPath[]): string {
  return `${pathNames(paths)} has no group for ${target}, which counts as empty, as in ingress-nginx: to keep the rest of the path, write /prefix(/|$)(.*) and /$2`
}

function pathNames(paths: readonly IngressPath[]): string {
  return [...new Set(paths.map(({ path }) => locationPath(path)))].join(', ')
}
