/** ingress-nginx: headers and cookies that are changed on the way (docs/facts/ingress-nginx.md#headers). */
import { isRewritten } from './rewritten-path.ts'
import { converted, readFlag, unsupported, type AnnotationPlace, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable, unlessOff } from './guard.ts'

const COOKIES = 'cookies are passed on as the application sets them'

export const NGINX_HEADERS: AnnotationTable = nginxTable({
  'x-forwarded-prefix': forwardedPrefix,
  'custom-headers': unsupported(
    'warn',
    'the ConfigMap is not read: put its headers into headers.response.set of the route',
  ),
  'proxy-cookie-domain': unlessOff(unsupported('warn', COOKIES)),
  'proxy-cookie-path': unlessOff(unsupported('warn', COOKIES)),
})

/** ingress-nginx sends it only together with a rewrite (`buildProxyPass` in its template.go). */
function forwardedPrefix(value: string, { ingress, sibling }: AnnotationPlace): Effect {
  const paths = ingress.rules.flatMap((rule) => rule.paths)
  const target = sibling('rewrite-target')
  const usesRegex = readFlag(sibling('use-regex') ?? '')
  if (target === undefined || !paths.some((path) => isRewritten(path, target, usesRegex)))
    return {
      outcome: 'not-needed',
      level: 'info',
      message: 'ingress-nginx sends it only if rewrite-target applies',
    }
  if (/\p{Cc}/u.test(value)) return { outcome: 'unsupported', level: 'warn', message: 'is not a header value' }
  if (value.includes('$'))
    return { outcome: 'unsupported', level: 'warn', message: 'groups of the path cannot be put into a header' }
  return converted({ forwardedPrefix: value }, 'a request header of the paths that are rewritten')
}
