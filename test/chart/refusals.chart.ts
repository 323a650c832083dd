// Values that cannot work are refused when the chart is rendered, before anything is created, in words that name the value.
import t from 'tap'
import { DEFAULT_CONFIGURATION } from '../../src/config.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { refusal } from '../support/api-server/helm.ts'
import { SERVING } from '../support/api-server/objects.ts'

const PEM = SERVING.ca
const existingSecret = (changes: JsonObject = {}): JsonObject => ({
  certificates: { mode: 'existingSecret', existingSecret: { name: 'tls', caBundle: PEM, ...changes } },
})
const bundle = (caBundle: string): JsonObject => existingSecret({ caBundle })
const selfManaged = (changes: JsonObject): JsonObject => ({
  certificates: { mode: 'selfManaged', selfManaged: changes },
})
const certManager = (changes: JsonObject): JsonObject => ({ certificates: { certManager: changes } })
const selector = (...matchExpressions: readonly JsonObject[]): JsonObject => ({
  webhooks: { namespaceSelector: { matchExpressions } },
})

type Rows = readonly (readonly [JsonObject, RegExp])[]

function check(title: string, rows: Rows): void {
  t.test(title, async (t) => {
    for (const [values, message] of rows) t.match(refusal(values) ?? 'taken', message, JSON.stringify(values))
  })
}

check('a key that there is not, or a value of another type', [
  [{ replicass: 3 }, /additional properties 'replicass' not allowed/],
  [{ webhooks: { pods: { enable: true } } }, /'\/webhooks\/pods': additional properties 'enable' not allowed/],
  [{ webhooks: { mutating: {} } }, /'\/webhooks': additional properties 'mutating' not allowed/],
  [{ config: { rules: { ingres: 'deny' } } }, /'\/config\/rules': additional properties 'ingres' not allowed/],
  [{ config: { rules: { exemptNamespaces: [] } } }, /additional properties 'exemptNamespaces' not allowed/],
  [{ replicas: 'two' }, /'\/replicas': got string, want integer/],
  [{ excludeNamespaces: 'legacy' }, /'\/excludeNamespaces': got string, want array/],
  [{ controlPlaneNamespaces: [] }, /'\/controlPlaneNamespaces'/],
  [{ webhooks: { pods: { failurePolicy: 'Maybe' } } }, /failurePolicy': value must be one of 'Ignore', 'Fail'/],
  [{ webhooks: { ingress: { timeoutSeconds: 31 } } }, /'\/webhooks\/ingress\/timeoutSeconds': maximum/],
  [{ webhooks: { ingress: { objectSelector: {} } } }, /'\/webhooks\/ingress': additional properties 'objectSelector'/],
  [{ webhooks: { url: 'http://10.0.0.1' } }, /'\/webhooks\/url': 'http:\/\/10.0.0.1' does not match/],
  [{ image: { digest: 'abc' } }, /'\/image\/digest': 'abc' does not match/],
  [
    { certificates: { mode: 'auto' } },
    /'\/certificates\/mode': value must be one of 'certManager', 'selfManaged', 'existingSecret'/,
  ],
  [{ excludeNamespacePresets: ['gcp'] }, /'\/excludeNamespacePresets\/0': value must be one of 'aks', 'eks', 'gke'/],
  [{ controlPlaneNamespaces: ['a', 'a'] }, /'\/controlPlaneNamespaces': items at 0 and 1 are equal/],
  [{ excludeNamespaces: ['a', 'a'] }, /'\/excludeNamespaces': items at 0 and 1 are equal/],
])

check('what the API server would refuse in a pod, by its own types', [
  [{ resources: { limits: { memory: '512 MB' } } }, /'\/resources\/limits\/memory': '512 MB' does not match/],
  [{ resources: { requests: { cpu: '0,1' } } }, /'\/resources\/requests\/cpu'/],
  [{ tolerations: [{ key: 'a', operator: 'Is' }] }, /'\/tolerations\/0\/operator': value must be one of/],
  [{ tolerations: [{ effect: 'NoSchedule' }] }, /'\/tolerations\/0'/],
  [{ tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] }, /'\/tolerations\/0\/value'/],
  [{ affinity: { nodeAffinitty: {} } }, /'\/affinity': additional properties 'nodeAffinitty' not allowed/],
  [{ topologySpreadConstraints: [{ topologyKey: 'zone' }] }, /missing properties 'maxSkew', 'whenUnsatisfiable'/],
  [{ podSecurityContext: { runAsUser: 'nobody' } }, /'\/podSecurityContext\/runAsUser': got string, want integer/],
  [{ securityContext: { capabilities: { drop: 'ALL' } } }, /'\/securityContext\/capabilities\/drop': got string/],
  [{ extraEnv: [{ value: 'x' }] }, /'\/extraEnv\/0': missing property 'name'/],
  [{ extraVolumes: [{ name: 'a', configmap: {} }] }, /additional properties 'configmap' not allowed/],
  [{ extraContainers: [{ name: 'a', livenessProbe: { httpGet: { path: '/' } } }] }, /missing property 'port'/],
  [{ nodeSelector: { disk: true } }, /'\/nodeSelector\/disk': got boolean, want string/],
  [{ podLabels: { 'a b': 'c' } }, /'\/podLabels': additional properties 'a b' not allowed/],
  [{ commonLabels: { a: 'not a value' } }, /'\/commonLabels\/a': 'not a value' does not match/],
  [{ lifecycle: { preStop: {} } }, /'\/lifecycle\/preStop'/],
  [{ updateStrategy: { rollingUpdate: { maxUnavailabel: 1 } } }, /additional properties 'maxUnavailabel' not allowed/],
])

// The schema names every wrong value at once, so one run of helm is enough for all of these.
t.test('what the API server would refuse by the form of one value', async (t) => {
  const wrong: Readonly<Record<string, JsonObject>> = {
    '/replicas': { replicas: 3000000000 },
    '/revisionHistoryLimit': { revisionHistoryLimit: 3000000000 },
    '/preStopSeconds': { preStopSeconds: -1 },
    '/image/repository': { image: { repository: 'Ghcr.io/A', tag: 'a b' } },
    '/image/tag': {},
    '/imageRegistry': { imageRegistry: 'https://mirror.example' },
    '/imagePullSecrets/0/name': { imagePullSecrets: [{ name: 'A_b' }] },
    '/serviceAccount/name': { serviceAccount: { name: 'My Account' } },
    '/priorityClassName': { priorityClassName: 'High!' },
    '/runtimeClassName': { runtimeClassName: 'A_b' },
    '/schedulerName': { schedulerName: 'A b' },
    '/clientCertificates/caConfigMap/name': { clientCertificates: { caConfigMap: { name: 'A_b' } } },
    '/certificates/existingSecret/name': {
      certificates: {
        existingSecret: { name: 'A_b' },
        certManager: {
          extraIpAddresses: ['10.0.0'],
          extraDnsNames: ['a b'],
          issuerRef: { name: 'a', kind: 'cluster issuer' },
        },
        selfManaged: { extraIpAddresses: ['300.1.1.1'] },
      },
    },
    '/certificates/certManager/extraIpAddresses/0': {},
    '/certificates/certManager/extraDnsNames/0': {},
    '/certificates/certManager/issuerRef/kind': {},
    '/certificates/selfManaged/extraIpAddresses/0': {},
    '/networkPolicy/apiServerCidrs/0': {
      networkPolicy: { apiServerCidrs: ['300.0.0.0/8', '10.0.0.0/33', 'fd00::/129'] },
    },
    '/networkPolicy/apiServerCidrs/1': {},
    '/networkPolicy/apiServerCidrs/2': {},
    '/webhooks/pods/matchConditions/0/name': {
      webhooks: {
        pods: { matchConditions: [{ name: 'A b', expression: 'true' }] },
        ingress: { matchConditions: [{ name: 'a', expression: ' ' }] },
      },
    },
    '/webhooks/ingress/matchConditions/0/expression': {},
    '/updateStrategy/rollingUpdate/maxSurge': {
      updateStrategy: { rollingUpdate: { maxSurge: '25', maxUnavailable: '101%' } },
    },
    '/updateStrategy/rollingUpdate/maxUnavailable': {},
    '/dnsConfig/nameservers/0': { dnsConfig: { nameservers: ['resolver'] } },
    '/hostAliases/0/ip': { hostAliases: [{ ip: '10.0.0', hostnames: ['a'] }] },
    '/extraContainers/0': { extraContainers: [{ name: 'a' }] },
    '/extraEnv/0/name': {
      extraEnv: [{ name: 'A=B' }, { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'a' } } }],
    },
    '/extraEnv/1': {},
    '/extraVolumes/0': { extraVolumes: [{ name: 'b', emptyDir: {}, configMap: { name: 'x' } }] },
    '/securityContext/privileged': { securityContext: { privileged: true } },
    '/podSecurityContext/seccompProfile': {
      podSecurityContext: { seccompProfile: { type: 'Localhost' }, runAsUser: -1 },
    },
    '/podSecurityContext/runAsUser': {},
    '/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms': {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
    },
    '/verify/waitSeconds': { verify: { waitSeconds: -1 } },
    '/config/tls/minVersion': { config: { tls: { minVersion: 'TLSv1.3' } } },
  }
  const said = refusal(Object.assign({}, ...Object.values(wrong)) as JsonObject) ?? 'taken'
  for (const path of Object.keys(wrong)) t.ok(said.includes(`'${path}'`), path)
})

check('what the API server or kubelet would refuse of two values together', [
  [
    { resources: { requests: { memory: '1Gi' } } },
    /resources\.requests\.memory \(1Gi\) is more than .*limits\.memory \(512Mi\)/,
  ],
  [{ resources: { requests: { cpu: 2 }, limits: { cpu: '1999m' } } }, /requests\.cpu \(2\) is more than .*\(1999m\)/],
  [{ updateStrategy: { rollingUpdate: { maxSurge: 0 } } }, /maxSurge and maxUnavailable are both 0/],
  [{ updateStrategy: { rollingUpdate: { maxSurge: '0%', maxUnavailable: '0%' } } }, /are both 0/],
  [{ dnsPolicy: 'None' }, /dnsPolicy is None, which needs dnsConfig\.nameservers/],
  [{ extraVolumeMounts: [{ name: 'nope', mountPath: '/a' }] }, /extraVolumeMounts: there is no volume nope/],
  [
    { extraVolumeMounts: [{ name: 'config', mountPath: '/etc/istio-onramp/tls' }] },
    /extraVolumeMounts: \/etc\/istio-onramp\/tls is mounted already/,
  ],
  [
    { extraContainers: [{ name: 'a', image: 'b' }], extraInitContainers: [{ name: 'a', image: 'b' }] },
    /extraInitContainers: the name a is taken/,
  ],
  [
    { lifecycle: { preStop: { sleep: { seconds: 61 } } } },
    /lifecycle\.preStop\.sleep\.seconds is 61, and the pod has 60 s/,
  ],
  [
    {
      topologySpreadConstraints: [1, 2].map((maxSkew) => ({
        maxSkew,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
      })),
    },
    /topologySpreadConstraints: two have zone, ScheduleAnyway/,
  ],
  [{ podSecurityContext: { runAsUser: 0 } }, /runAsUser is 0 and runAsNonRoot is true/],
  [
    { service: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4', 'IPv6'] } },
    /service\.ipFamilyPolicy is SingleStack/,
  ],
  [{ extraObjects: [{}, 'kind: ['] }, /extraObjects\[1\] is not YAML/],
])

check('a selector that the API server would refuse', [
  [selector({ key: 'team', operator: 'Equals', values: ['a'] }), /operator': value must be one of 'In', 'NotIn'/],
  [selector({ key: 'team', operator: 'In' }), /missing property 'values'/],
  [selector({ key: 'team', operator: 'Exists', values: ['a'] }), /matchExpressions\/0\/values': maxItems/],
  [selector({ operator: 'Exists' }), /missing property 'key'/],
  [{ webhooks: { namespaceSelector: { matchlabels: {} } } }, /additional properties 'matchlabels' not allowed/],
  [{ webhooks: { pods: { matchConditions: [{ name: 'a' }] } } }, /missing property 'expression'/],
  [
    { webhooks: { pods: { matchConditions: [{ name: 'not-a-mirror-pod', expression: 'true' }] } } },
    /webhooks\.pods\.matchConditions: the name not-a-mirror-pod is taken/,
  ],
  [
    {
      webhooks: {
        namespaceSelector: { matchLabels: { mesh: 'yes' } },
        templates: { namespaceSelector: { matchLabels: { mesh: 'no' } } },
      },
    },
    /label mesh has one value in webhooks\.namespaceSelector and another/,
  ],
])

check('what the chart sets itself', [
  [{ podLabels: { 'sidecar.istio.io/inject': 'true' } }, /podLabels: the chart sets sidecar\.istio\.io\/inject itself/],
  [{ podLabels: { 'app.kubernetes.io/name': 'x' } }, /podLabels: the chart sets app\.kubernetes\.io\/name itself/],
  [
    { commonLabels: { 'app.kubernetes.io/instance': 'x' } },
    /commonLabels: the chart sets app\.kubernetes\.io\/instance/,
  ],
  [
    { commonLabels: { 'istio.io/dataplane-mode': 'ambient' } },
    /commonLabels: the chart sets istio\.io\/dataplane-mode/,
  ],
  [{ service: { labels: { 'helm.sh/chart': 'x' } } }, /service\.labels: the chart sets helm\.sh\/chart itself/],
  [{ podAnnotations: { 'checksum/config': 'x' } }, /podAnnotations: the chart sets checksum\/config itself/],
  [
    { webhooks: { annotations: { 'cert-manager.io/inject-ca-from': 'a/b' } } },
    /webhooks\.annotations: the chart sets cert-manager\.io\/inject-ca-from itself/,
  ],
  [{ extraArgs: ['--listen=:1'] }, /extraArgs: the chart sets --listen itself/],
  [{ extraArgs: ['--tls-cert', 'a'] }, /extraArgs: the chart sets --tls-cert itself/],
  [{ extraVolumes: [{ name: 'tls', emptyDir: {} }] }, /extraVolumes: the name tls is taken/],
  [{ extraContainers: [{ name: 'webhook', image: 'a' }] }, /extraContainers: the name webhook is taken/],
  [
    { extraInitContainers: ['a', 'a'].map((name) => ({ name, image: 'b' })) },
    /extraInitContainers: the name a is taken/,
  ],
])

const LINES = PEM.trim().split('\n')
const CUT = [...LINES.slice(0, 4), ...LINES.slice(-1)].join('\n')

check('certificates that cannot work, and a private key that would be published', [
  [bundle(''), /certificates\.existingSecret\.caBundle must hold the PEM/],
  [bundle('TUE9PQ=='), /caBundle is not PEM/],
  [bundle(`${PEM}${SERVING.key}`), /caBundle holds a private key/],
  [bundle('-----BEGIN ENCRYPTED PRIVATE KEY-----'), /caBundle holds a private key/],
  [bundle(LINES.slice(0, -1).join('\n')), /caBundle holds something besides whole certificates, or one that is cut/],
  [bundle(`${PEM}${LINES.slice(0, 3).join('\n')}`), /caBundle holds something besides whole certificates/],
  [bundle(CUT), /caBundle|certificate/],
  [bundle(`${LINES[0] ?? ''}\nMA==\n${LINES.at(-1) ?? ''}`), /certificate/],
  [existingSecret({ name: '' }), /certificates\.existingSecret\.name must name the Secret/],
  [certManager({ issuerRef: { kind: 'ClusterIssuer' } }), /issuerRef has a kind or a group but no name/],
  [certManager({ issuerRef: { group: 'awspca.cert-manager.io' } }), /issuerRef has a kind or a group but no name/],
  [certManager({ duration: '90 days' }), /'\/certificates\/certManager\/duration'/],
  [certManager({ duration: '59m', renewBefore: '10m' }), /certManager\.duration is 59m: .* no less than 1h/],
  [certManager({ duration: '10h', renewBefore: '4m59s' }), /renewBefore is 4m59s: .* no less than 5m/],
  [certManager({ duration: '10h', renewBefore: '10h' }), /renewBefore \(10h\) must be shorter than .*duration \(10h\)/],
  [
    certManager({ authority: { duration: '240h', renewBefore: '240h0m1s' } }),
    /authority\.renewBefore \(240h0m1s\) must be shorter/,
  ],
  [
    certManager({ authority: { duration: '2160h', renewBefore: '24h' } }),
    /authority\.duration \(2160h\) must be longer than certificates\.certManager\.duration \(2160h\)/,
  ],
  [selfManaged({ leafDuration: '59s' }), /selfManaged\.leafDuration is 59s: at least 1m is needed/],
  [selfManaged({ leafDuration: 'a week' }), /'\/certificates\/selfManaged\/leafDuration'/],
  [selfManaged({ renewBefore: '1h' }), /additional properties 'renewBefore' not allowed/],
  [
    selfManaged({ leafDuration: '1h', authorityDuration: '2h59m59s' }),
    /authorityDuration \(2h59m59s\) must be at least three times .*leafDuration \(1h\)/,
  ],
  [
    selfManaged({ leafDuration: '1m', authorityDuration: '3m', trustDelay: '31s' }),
    /trustDelay \(31s\) must be at most a sixth of .*authorityDuration \(3m\)/,
  ],
])

check('values that contradict each other', [
  [{ verify: { afterInstall: true, namespace: 'kyverno' } }, /verify\.namespace \(kyverno\) that is not excluded/],
  [{ verify: { afterInstall: true }, rbac: { create: false } }, /verify\.afterInstall is on, .* needs rbac\.create/],
  [{ hostNetwork: true }, /ports\.https is 10250, which is the kubelet's own/],
  [{ ports: { https: 9090 } }, /ports\.https and ports\.metrics are both 9090/],
  [{ service: { port: 9090 } }, /service\.port and ports\.metrics are both 9090/],
  [{ config: { limits: { requestBytes: 67108865 } } }, /requestBytes \(67108865\) is more than .* \(67108864\)/],
  [{ config: { limits: { inFlightBytes: 33554431 } } }, /requestBytes \(33554432\) is more than .* \(33554431\)/],
  [{ serviceMonitor: { enabled: true }, podMonitor: { enabled: true } }, /each series would be there twice/],
  [{ autoscaling: { enabled: true, minReplicas: 9 } }, /autoscaling\.minReplicas \(9\) is more than .*\(5\)/],
  [
    { networkPolicy: { apiServerCidrs: ['10.0.0.1'] } },
    /'\/networkPolicy\/apiServerCidrs\/0': '10\.0\.0\.1' does not match/,
  ],
  [{ prometheusRule: { disabled: ['Onramp'] } }, /'\/prometheusRule\/disabled\/0': value must be one of/],
  [{ priorityClass: { value: 2000000000 } }, /'\/priorityClass\/value': maximum/],
  [{ fullnameOverride: '1st-onramp' }, /"1st-onramp".*is not a DNS label that starts with a letter/],
  [{ fullnameOverride: 'a.b' }, /is not a DNS label/],
])

t.test('the defaults are taken, and values at the edge of what is allowed', async (t) => {
  t.same(DEFAULT_CONFIGURATION.limits, { requestBytes: 33554432, inFlightBytes: 67108864 }, 'as the chart has them')
  const taken: readonly JsonObject[] = [
    {},
    bundle(`subject=CN = example\n${PEM}\n${PEM}`),
    bundle(PEM.replaceAll('\n', '\r\n')),
    certManager({ duration: '1h', renewBefore: '5m', authority: { duration: '2h', renewBefore: '1h' } }),
    certManager({ issuerRef: { name: 'x', kind: 'ClusterIssuer', group: 'awspca.cert-manager.io' } }),
    selfManaged({}),
    selfManaged({ leafDuration: '1m', authorityDuration: '3m', trustDelay: '30s' }),
    { config: { limits: { requestBytes: 67108864 } } },
    { hostNetwork: true, ports: { https: 10260 } },
    { resources: { limits: { cpu: 1.5, memory: '1Gi', 'hugepages-2Mi': '4M' }, requests: { cpu: 1 } } },
    { tolerations: [{ operator: 'Exists' }, { key: 'a', effect: 'NoExecute', tolerationSeconds: 5 }] },
    { podLabels: { 'example.com/a': '' } },
    { resources: { requests: { cpu: '1e0', memory: '0.5Gi' }, limits: { cpu: 1, memory: '512Mi' } } },
    { updateStrategy: { rollingUpdate: { maxSurge: '150%', maxUnavailable: '100%' } } },
    { networkPolicy: { apiServerCidrs: ['0.0.0.0/0', '::/0', 'fd00:1::/64', '::ffff:10.0.0.0/104'] } },
    {
      image: { repository: 'localhost:5000/team__a/on-ramp.x', tag: 'v1.0_rc.1' },
      imageRegistry: 'Mirror.example:5000/a/b',
    },
    { podSecurityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } } },
    { extraObjects: ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\n'] },
  ]
  for (const values of taken) t.equal(refusal(values), undefined, JSON.stringify(values).slice(0, 80))
})
