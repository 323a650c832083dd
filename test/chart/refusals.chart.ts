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
  [{ extraContainers: [{ name: 'webhook' }] }, /extraContainers: the name webhook is taken/],
  [{ extraInitContainers: [{ name: 'a' }, { name: 'a' }] }, /extraInitContainers: the name a is taken/],
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
    { resources: { limits: { cpu: 1.5, memory: '1Gi', 'hugepages-2Mi': '4M' }, requests: { cpu: 2 } } },
    { tolerations: [{ operator: 'Exists' }, { key: 'a', effect: 'NoExecute', tolerationSeconds: 5 }] },
    { podLabels: { 'example.com/a': '' } },
  ]
  for (const values of taken) t.equal(refusal(values), undefined, JSON.stringify(values).slice(0, 80))
})
