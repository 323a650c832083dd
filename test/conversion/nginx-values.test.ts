// Values of ingress-nginx' annotations that it ignores, that no object may hold, or that hang on another annotation.
import t from 'tap'
import type { Target } from '../../src/conversion/conversion-options.ts'
import type { Conversion } from '../../src/conversion/convert-ingresses.ts'
import { convert, ingress, ofKind, type Annotations } from './conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
}

function convertOne(annotations: Annotations, target: Target = 'istio'): Conversion {
  return convert([ingress({ annotations: nginx(annotations), secret: 'tls' })], target)
}

/** `outcome level: message` of each line about the annotation. */
function linesOf({ report }: Conversion, key: string): string {
  const own = report.filter(({ about }) => about === `${NGINX}${key}`)
  return own.map(({ outcome, level, message }) => `${outcome} ${level}: ${message}`).join(' and ')
}

t.test('force-ssl-redirect wins over ssl-redirect, whichever comes first in the alphabet', (t) => {
  const forced = convertOne({ 'force-ssl-redirect': 'true', 'ssl-redirect': 'false' })
  t.equal(linesOf(forced, 'ssl-redirect'), 'not-needed info: force-ssl-redirect stands beside it and wins')
  t.match(JSON.stringify(ofKind(forced, 'VirtualService')), /"redirectCode":308/)
  const open = convertOne({ 'force-ssl-redirect': 'false', 'ssl-redirect': 'false' })
  t.equal(linesOf(open, 'ssl-redirect'), 'converted info: plain requests are served, too')
  t.notMatch(JSON.stringify(ofKind(open, 'VirtualService')), /redirectCode/)
  t.end()
})
