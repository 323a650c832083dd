/** What a release has put into the real API server, and the kinds of other products that it may use there. */
import { done } from './kubectl.ts'

/** Every object of the release `onramp`, of whatever kind, as `KIND/NAME` lines. */
export async function ours(): Promise<string> {
  const kinds = (await done(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n')
  const kept = kinds.filter((kind) => !/^(events|componentstatuses)\b/.test(kind))
  return await done(['get', kept.join(','), '-A', '-l', 'app.kubernetes.io/instance=onramp', '-o', 'name'])
}

/** The kinds of the Prometheus operator, with any content: whether it accepts the content is Prometheus' to say. */
export async function installOperatorKinds(): Promise<void> {
  const items = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].map(operatorKind)
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
  await done(['wait', '--for=condition=Established', ...items.map(({ metadata }) => `crd/${metadata.name}`)])
}

function operatorKind(kind: string) {
  const singular = kind.toLowerCase()
  const group = 'monitoring.coreos.com'
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural: `${singular}s`, singular },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}
