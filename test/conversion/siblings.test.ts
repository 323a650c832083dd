// Ingresses that share a host or a Gateway: what one of them asks for does not reach the other's routes unsaid.
import t from 'tap'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, reportOf } from './conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
const LISTED = { [`${NGINX}whitelist-source-range`]: '10.0.0.0/8' }
const EXPRESSIONS = { [`${NGINX}use-regex`]: 'true' }
const LIMITED = { [`${NGINX}limit-rps`]: '5' }

function rule(host: string, ...paths: readonly string[]): JsonObject {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  return { host, http: { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend })) } }
}

function operations(objects: readonly JsonObject[]): unknown {
  const [policy] = ofKind(convert(objects), 'AuthorizationPolicy')
  const [first] = memberAt(policy, 'spec', 'rules') as readonly JsonObject[]
  return memberAt(first, 'to')
}

t.test('a policy has the paths of each host with that host only', (t) => {
  const guarded = ingress({
    name: 'a',
    annotations: LISTED,
    spec: { rules: [rule('h1.example.com', '/admin'), rule('h2.example.com', '/'), rule('h3.example.com', '/x')] },
  })
  const open = ingress({ name: 'b', host: 'h1.example.com', paths: [{ path: '/', type: 'Prefix' }] })
  t.same(operations([guarded, open]), [
    { operation: { hosts: ['h1.example.com', 'h1.example.com:*'], paths: ['/admin', '/admin/*'] } },
    { operation: { hosts: ['h2.example.com', 'h2.example.com:*', 'h3.example.com', 'h3.example.com:*'] } },
  ])
  const abroad = ingress({ namespace: 'other', name: 'b', host: 'h1.example.com' })
  t.same(operations([guarded, abroad]), operations([guarded, open]), 'the gateway is shared with other namespaces')
  t.notMatch(reportOf([guarded, open]), [{ message: /SECURITY/ }])
  t.end()
})

interface Hit {
  readonly title: string
  readonly guarded: Parameters<typeof ingress>[0]
  readonly other: Parameters<typeof ingress>[0]
  /** Undefined: nothing is said. */
  readonly says: { readonly level: string; readonly message: RegExp } | undefined
}

const HITS: readonly Hit[] = [
  {
    title: 'an expression has no pattern',
    guarded: { annotations: { ...LISTED, ...EXPRESSIONS }, paths: ['/admin/.*'] },
    other: {},
    says: {
      level: 'error',
      message: /^SECURITY: on a\.example\.com .* routes of Ingress shop\/other, as its patterns/,
    },
  },
  {
    title: 'the longer path of another',
    guarded: { annotations: LISTED, paths: [{ path: '/admin', type: 'Prefix' }] },
    other: { paths: [{ path: '/admin/public', type: 'Exact' }] },
    says: { level: 'error', message: /also holds for routes of Ingress shop\/other/ },
  },
  {
    title: 'paths apart',
    guarded: { annotations: LISTED, paths: [{ path: '/admin', type: 'Prefix' }] },
    other: { paths: [{ path: '/', type: 'Prefix' }] },
    says: undefined,
  },
  {
    title: 'a stranger is not named',
    guarded: { annotations: LISTED, paths: ['/'] },
    other: { namespace: 'strange', paths: ['/x'] },
    says: { level: 'error', message: /also holds for routes of another namespace,/ },
  },
  {
    title: 'a host below a wildcard',
    guarded: { host: '*.example.com', annotations: LISTED },
    other: { host: 'b.example.com' },
    says: {
      level: 'error',
      message: /policy of \*\.example\.com also holds for the hosts below it.* Ingress shop\/other/,
    },
  },
  {
    title: 'a rate limit is of the host',
    guarded: { annotations: LIMITED, paths: ['/api'] },
    other: {},
    says: { level: 'warn', message: /rate limit is one for all of a\.example\.com, .* Ingress shop\/other/ },
  },
  {
    title: 'a rate limit of a host of its own',
    guarded: { annotations: LIMITED },
    other: { host: 'b.example.com' },
    says: undefined,
  },
]

t.test('a policy that holds for the routes of others says so', (t) => {
  for (const { title, guarded, other, says } of HITS) {
    const report = reportOf([ingress({ name: 'guarded', ...guarded }), ingress({ name: 'other', ...other })])
    const lines = report.filter(
      ({ about, message }) => about === 'spec.rules' && /also holds|one for all/.test(message),
    )
    if (says === undefined) t.same(lines, [], title)
    else t.match(lines, [{ ingress: 'shop/guarded', ...says }], title)
  }
  t.end()
})
