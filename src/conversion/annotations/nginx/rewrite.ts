/** ingress-nginx: paths that are rewritten, or read as regular expressions (docs/facts/ingress-nginx.md#rewrites). */
import { strippedPrefix } from '../../model/rewrite-idiom.ts'
import { converted, notNeeded, whenTrue, type AnnotationPlace, type AnnotationTable, type Effect } from '../entry.ts'
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

export function rewriteEffect(value: string, { target, ingress }: AnnotationPlace): Effect {
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
  // One rewritten path makes every path of the host a regular expression.
  const settings = { rewriteTarget: value, usesRegex: true }
  if (!value.includes('$')) return { ...converted(settings, staticMessage(value)), level: 'warn' }
  const paths = ingress.rules.flatMap((rule) => rule.paths)
  if (target === 'gateway-api' && !paths.every(({ path }) => strippedPrefix(path, value) !== undefined))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: Gateway API has no rewrite with groups but the idiom /prefix(/|$)(.*) with /$2; the other paths are left out; --to istio has it`,
      settings,
    }
  return converted(
    settings,
    target === 'istio' ? 'the groups are carried over' : 'the prefix is removed; letter case now matters',
  )
}

function staticMessage(value: string): string {
  return `sends every sub-path to ${value}, as in ingress-nginx; to remove a prefix, write /prefix(/|$)(.*) and /$2`
}
