/** ingress-nginx: headers and cookies on their way through (docs/facts/ingress-nginx.md#headers). */
import { converted, unsupported, type AnnotationTable } from '../entry.ts'
import { nginxTable, unlessOff } from './guard.ts'

const COOKIES = 'cookies are passed on as the application sets them'

export const NGINX_HEADERS: AnnotationTable = nginxTable({
  'x-forwarded-prefix': (value) =>
    /\p{Cc}/u.test(value)
      ? { outcome: 'unsupported', level: 'warn', message: 'is not a header value' }
      : value.includes('$')
        ? { outcome: 'unsupported', level: 'warn', message: 'groups of the path cannot be put into a header' }
        : converted({ headerChanges: { request: { 'x-forwarded-prefix': value }, response: {} } }, 'a request header'),
  'custom-headers': unsupported(
    'warn',
    'the ConfigMap is not read: put its headers into headers.response.set of the route',
  ),
  'proxy-cookie-domain': unlessOff(unsupported('warn', COOKIES)),
  'proxy-cookie-path': unlessOff(unsupported('warn', COOKIES)),
})
