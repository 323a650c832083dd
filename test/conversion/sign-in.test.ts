// Sign-in by oauth2-proxy as its users write it (https://kubernetes.github.io/ingress-nginx/examples/auth/oauth-external-auth/):
// sign-in.envoy.ts shows that it works.
import t from 'tap'
import { convert, ingress, ofKind } from './support/conversion-fixtures.ts'
import { linesOf, nginx } from './support/ask.ts'
import { memberAt } from '../../src/kubernetes/json.ts'

const OF_REQUEST = nginx({
  'auth-url': 'https://$host/oauth2/auth',
  'auth-signin': 'https://$host/oauth2/start?rd=$escaped_request_uri',
})

const app = (name: string, annotations = OF_REQUEST) =>
  ingress({ name, host: `${name}.example.com`, annotations, paths: [{ path: '/', type: 'Prefix' }] })

const proxy = (host: string, namespace = 'auth') =>
  ingress({
    namespace,
    name: `oauth2-${host}`,
    host,
    paths: [{ path: '/oauth2', type: 'Prefix', service: 'oauth2-proxy', port: 4180 }],
  })

const SERVICE = 'oauth2-proxy.auth.svc.cluster.local'

t.test('the host of the request is the Service that an Ingress of that host leads to', (t) => {
  const conversion = convert([app('a'), proxy('a.example.com')])
  t.match(linesOf(conversion, 'auth-url'), `"service":"${SERVICE}","port":4180,"pathPrefix":"/oauth2/auth"`)
  t.match(linesOf(conversion, 'auth-signin'), /^platform-step warn: oauth2-proxy redirects/)
  const [policy] = ofKind(conversion, 'AuthorizationPolicy')
  t.same(memberAt(policy, 'spec', 'rules'), [
    { to: [{ operation: { hosts: ['a.example.com', 'a.example.com:*'], notPaths: ['/oauth2', '/oauth2/*'] } }] },
  ])
  t.end()
})

t.test('one service under several URLs is one provider', (t) => {
  const urls = [
    'http://oauth2-proxy.auth.svc.cluster.local:4180/oauth2/auth',
    'http://oauth2-proxy.auth.svc:4180/oauth2/auth/',
    'https://login.example.com/oauth2/auth',
  ]
  const apps = urls.map((url, index) => app(`b${index}`, nginx({ 'auth-url': url })))
  const conversion = convert([...apps, app('a'), proxy('a.example.com'), proxy('login.example.com')])
  const names = ofKind(conversion, 'AuthorizationPolicy').map((policy) => memberAt(policy, 'spec', 'provider', 'name'))
  t.equal(names.length, 4)
  t.equal(new Set(names).size, 1)
  t.same(ofKind(conversion, 'ServiceEntry'), [])
  t.same(
    conversion.notes.filter(({ about }) => about === 'auth-url'),
    [],
  )
  t.end()
})

t.test('without the Ingress of the service, or with several services, the loss is an error', (t) => {
  const missing = /^unsupported error: SECURITY: https:\/\/\$host\/oauth2\/auth names the host of the request/
  t.match(linesOf(convert([app('a')]), 'auth-url'), missing)
  const hosts = ['a.example.com', 'c.example.com'].map((host) => ({ host, http: { paths: [] } }))
  const two = ingress({ annotations: OF_REQUEST, spec: { rules: hosts } })
  const services = [proxy('a.example.com', 'one'), proxy('c.example.com', 'two')]
  t.match(linesOf(convert([two, ...services]), 'auth-url'), missing)
  const variable = app('a', nginx({ 'auth-url': 'https://$host/auth?rd=$request_uri' }))
  t.match(linesOf(convert([variable, proxy('a.example.com')]), 'auth-url'), /without nginx variables/)
  t.end()
})
