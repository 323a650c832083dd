/** ingress-nginx: `rewrite-target` (docs/facts/ingress-nginx.md). How a path is rewritten is decided path by path. */
import { strippedPrefix } from '../model/rewrite-idiom.ts'
import { converted, type AnnotationPlace, type Effect } from './annotation-entry.ts'

export function rewriteEffect(value: string, { target, ingress }: AnnotationPlace): Effect {
  const variable = /\$(?!\d)\{?\w*/.exec(value)?.[0]
  if (variable !== undefined)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: the nginx variable ${variable} has no equal in a rewrite; these paths are left out`,
      settings: { blockedBy: 'rewrite-target' },
    }
  if (/^https?:/.test(value))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value} makes nginx redirect; say it with temporal-redirect; these paths are left out`,
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
    target === 'istio' ? 'the groups are carried over' : 'the prefix is cut off; letter case now counts',
  )
}

function staticMessage(value: string): string {
  return `sends every sub-path to ${value}, as in ingress-nginx; to cut off a prefix, write /prefix(/|$)(.*) and /$2`
}
