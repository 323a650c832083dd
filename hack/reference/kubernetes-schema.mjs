// Kubernetes' own types as JSON schema, for the chart's values that go into the pods as they are: what the API server would
// refuse after half of an installation is refused at render. The types are those of @kubernetes/client-node, which is
// generated from Kubernetes' OpenAPI document; it has no enumerations and no formats, so those are below.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as models from '@kubernetes/client-node'

const GENERATED = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')), 'gen/models')

// https://github.com/kubernetes/apimachinery/blob/v0.36.0/pkg/api/resource/quantity.go
const QUANTITY = {
  type: ['string', 'number'],
  pattern: '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$',
}
const IP = { type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }
const ID = { type: 'integer', minimum: 0, maximum: 2147483647 }
const PORT = { type: 'integer', minimum: 1, maximum: 65535 }
const one = (...values) => ({ type: 'string', enum: values })

/** What Kubernetes' validation takes (pkg/apis/core/validation), where the type alone says less. */
const NARROWER = {
  'V1Toleration.operator': one('Exists', 'Equal', 'Lt', 'Gt'),
  'V1Toleration.effect': one('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  'V1NodeSelectorRequirement.operator': one('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
  'V1LabelSelector.matchLabels': { $ref: '#/definitions/Labels' },
  'V1LabelSelectorRequirement.operator': one('In', 'NotIn', 'Exists', 'DoesNotExist'),
  'V1PreferredSchedulingTerm.weight': { type: 'integer', minimum: 1, maximum: 100 },
  'V1WeightedPodAffinityTerm.weight': { type: 'integer', minimum: 1, maximum: 100 },
  'V1TopologySpreadConstraint.whenUnsatisfiable': one('DoNotSchedule', 'ScheduleAnyway'),
  'V1TopologySpreadConstraint.nodeAffinityPolicy': one('Honor', 'Ignore'),
  'V1TopologySpreadConstraint.nodeTaintsPolicy': one('Honor', 'Ignore'),
  'V1TopologySpreadConstraint.maxSkew': { type: 'integer', minimum: 1 },
  'V1TopologySpreadConstraint.minDomains': { type: 'integer', minimum: 1 },
  'V1SeccompProfile.type': one('RuntimeDefault', 'Unconfined', 'Localhost'),
  'V1AppArmorProfile.type': one('RuntimeDefault', 'Unconfined', 'Localhost'),
  'V1PodSecurityContext.fsGroupChangePolicy': one('OnRootMismatch', 'Always'),
  'V1PodSecurityContext.supplementalGroupsPolicy': one('Merge', 'Strict'),
  'V1SecurityContext.procMount': one('Default', 'Unmasked'),
  'V1HTTPGetAction.scheme': one('HTTP', 'HTTPS'),
  'V1GRPCAction.port': PORT,
  'V1Container.imagePullPolicy': one('Always', 'IfNotPresent', 'Never'),
  'V1Container.restartPolicy': one('Always', 'Never', 'OnFailure'),
  'V1Container.terminationMessagePolicy': one('File', 'FallbackToLogsOnError'),
  'V1ContainerPort.containerPort': PORT,
  'V1ContainerPort.hostPort': { type: 'integer', minimum: 0, maximum: 65535 },
  'V1ContainerPort.protocol': one('TCP', 'UDP', 'SCTP'),
  'V1VolumeMount.mountPropagation': one('None', 'HostToContainer', 'Bidirectional'),
  'V1VolumeMount.mountPath': { type: 'string', pattern: '^[^:]+$' },
  'V1MatchCondition.name': {
    type: 'string',
    pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
  },
  'V1MatchCondition.expression': { type: 'string', pattern: '\\S' },
  'V1EnvVar.name': { type: 'string', pattern: '^[ -<>-~]+$' },
  'V1Container.image': { type: 'string', minLength: 1 },
  'V1NodeSelector.nodeSelectorTerms': {
    type: 'array',
    minItems: 1,
    items: { $ref: '#/definitions/V1NodeSelectorTerm' },
  },
  'V1RollingUpdateDeployment.maxSurge': { type: ['integer', 'string'], minimum: 0, pattern: '^[0-9]+%$' },
  'V1RollingUpdateDeployment.maxUnavailable': {
    type: ['integer', 'string'],
    minimum: 0,
    pattern: '^(100|[0-9]{1,2})%$',
  },
  'V1PodDNSConfig.nameservers': { type: 'array', maxItems: 3, items: IP },
  'V1HostAlias.ip': IP,
  'V1PodSecurityContext.runAsUser': ID,
  'V1PodSecurityContext.runAsGroup': ID,
  'V1PodSecurityContext.fsGroup': ID,
  'V1SecurityContext.runAsUser': ID,
  'V1SecurityContext.runAsGroup': ID,
  'V1KeyToPath.mode': { type: 'integer', minimum: 0, maximum: 511 },
  'V1EmptyDirVolumeSource.medium': one('', 'Memory', 'HugePages', 'HugePages-2Mi', 'HugePages-1Gi'),
  'V1EmptyDirVolumeSource.sizeLimit': QUANTITY,
  'V1ResourceFieldSelector.divisor': QUANTITY,
  'V1ImageVolumeSource.pullPolicy': one('Always', 'IfNotPresent', 'Never'),
  'V1HostPathVolumeSource.type': one(
    ...['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
  ),
  'V1ResourceRequirements.limits': { type: 'object', additionalProperties: QUANTITY },
  'V1ResourceRequirements.requests': { type: 'object', additionalProperties: QUANTITY },
  'V1VolumeResourceRequirements.limits': { type: 'object', additionalProperties: QUANTITY },
  'V1VolumeResourceRequirements.requests': { type: 'object', additionalProperties: QUANTITY },
  'V1Volume.name': { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
  'V1Container.name': { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
}

/** What one member says of another: JSON schema that the whole object has to meet as well. */
const RELATIONS = {
  V1LabelSelectorRequirement: valuesByOperator(['In', 'NotIn']),
  V1NodeSelectorRequirement: valuesByOperator(['In', 'NotIn', 'Gt', 'Lt']),
  V1Toleration: [
    { if: has('operator', { const: 'Exists' }), then: { properties: { value: { maxLength: 0 } } } },
    { anyOf: [has('key', { minLength: 1 }), has('operator', { const: 'Exists' })] },
    { if: { required: ['tolerationSeconds'] }, then: { properties: { effect: { const: 'NoExecute' } } } },
  ],
  V1Container: [{ required: ['image'] }],
  V1EnvVar: [{ not: { required: ['value', 'valueFrom'], properties: { value: { minLength: 1 } } } }],
  // The name and one source; without a source it is an emptyDir.
  V1Volume: [{ maxProperties: 2 }],
  V1SeccompProfile: [localhostOnly()],
  V1AppArmorProfile: [localhostOnly()],
  V1SecurityContext: [
    {
      if: has('allowPrivilegeEscalation', { const: false }),
      then: { properties: { privileged: { const: false } } },
    },
  ],
  V1LifecycleHandler: [{ oneOf: ['exec', 'httpGet', 'sleep', 'tcpSocket'].map((name) => ({ required: [name] })) }],
}

function has(name, schema) {
  return { required: [name], properties: { [name]: schema } }
}

/** A profile has a file if and only if its type says so. */
function localhostOnly() {
  const isFile = has('type', { const: 'Localhost' })
  return {
    if: isFile,
    then: has('localhostProfile', { minLength: 1 }),
    else: { properties: { localhostProfile: false } },
  }
}

/** With these operators `values` must have members; with the others (Exists, DoesNotExist) none. */
function valuesByOperator(operators) {
  const isGiven = has('operator', { enum: operators })
  return [{ if: isGiven, then: has('values', { minItems: 1 }), else: { properties: { values: { maxItems: 0 } } } }]
}

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
// Not `propertyNames`: helm names another place than that of the wrong key.
const KEY = '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
const LABEL_VALUE = { type: 'string', pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$' }
const LABELS = keyed(LABEL_VALUE)
const ANNOTATIONS = keyed({ type: 'string' })

function keyed(values) {
  return { type: 'object', additionalProperties: false, patternProperties: { [KEY]: values } }
}

/** JSON schemas by type, for these types and every type that they use. */
export function kubernetesDefinitions(types) {
  const definitions = { Labels: LABELS, Annotations: ANNOTATIONS }
  const waiting = [...types]
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    if (type in definitions) continue
    definitions[type] = definitionOf(type)
    for (const [, used] of JSON.stringify(definitions[type]).matchAll(/#\/definitions\/(\w+)/g)) waiting.push(used)
  }
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function definitionOf(type) {
  const attributes = models[type].getAttributeTypeMap()
  const properties = Object.fromEntries(
    attributes.map(({ baseName, type: of, format }) => [
      baseName,
      NARROWER[`${type}.${baseName}`] ?? schemaOf(of, format),
    ]),
  )
  const required = requiredOf(type)
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length === 0 ? {} : { required }),
    ...(type in RELATIONS ? { allOf: RELATIONS[type] } : {}),
  }
}

function schemaOf(type, format) {
  const list = /^Array<(.+)>$/.exec(type)?.[1]
  if (list !== undefined) return { type: 'array', items: schemaOf(list, format) }
  const map = /^{ \[key: string\]: (.+); }$/.exec(type)?.[1]
  if (map !== undefined) return { type: 'object', additionalProperties: schemaOf(map, format) }
  if (type === 'number') return { type: 'integer' }
  if (type === 'IntOrString') return { type: ['integer', 'string'] }
  if (type === 'Date') return { type: 'string' }
  if (type === 'any') return {}
  if (type === 'string' || type === 'boolean') return { type }
  return { $ref: `#/definitions/${type}` }
}

/** The declarations say which members must be there: those without a question mark. */
function requiredOf(type) {
  const text = readFileSync(join(GENERATED, `${type}.d.ts`), 'utf8')
  return [...text.matchAll(/^ {4}'(\w+)': /gm)].map(([, name]) => name)
}
