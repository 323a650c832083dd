/**
 * Istio's injection webhooks, and which of them the API server calls for a pod
 * (docs/facts/injection.md#which-webhooks-are-called).
 *
 * The selectors come from the cluster's MutatingWebhookConfigurations and are never assumed, because revision tags and
 * `istioctl tag set default` change them. Manifests without any configuration mean the default installation.
 */
import { INJECT, INJECTION_LABEL, REVISION } from './annotations.ts'
import { describeSelector, matches, type LabelSelector, type Requirement } from '../kubernetes/label-selector.ts'

export interface InjectionWebhook {
  readonly configuration: string
  readonly name: string
  /** Label `istio.io/rev` of the configuration: the control plane that a tag points to. */
  readonly revision: string
  /** `reinvocationPolicy: IfNeeded`: called again after a later webhook changed the pod. */
  readonly isReinvoked: boolean
  /**
   * Whether it belongs to a managed mesh, whose injector ignores the annotation for probe rewriting
   * (`managed-mesh.ts`).
   */
  readonly isManaged: boolean
  /** The network in the webhook's path (`/inject/net/NAME`); it takes precedence over `values.global.network`. */
  readonly network: string | undefined
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
}

/**
 * The API server orders configurations by name, bytewise, and keeps the order of their entries
 * (docs/facts/injection.md#order-and-reinvocation).
 */
export function inCallingOrder(webhooks: readonly InjectionWebhook[]): readonly InjectionWebhook[] {
  return webhooks.toSorted(({ configuration: left }, { configuration: right }) =>
    left === right ? 0 : left < right ? -1 : 1,
  )
}

export function isSelected(
  webhook: InjectionWebhook,
  namespaceLabels: ReadonlyMap<string, string>,
  podLabels: ReadonlyMap<string, string>,
): boolean {
  return matches(webhook.namespaceSelector, namespaceLabels) && matches(webhook.objectSelector, podLabels)
}

/** Returns why the API server called it: `namespace istio-injection=enabled, pod sidecar.istio.io/inject!=false`. */
export function describeSelection({ namespaceSelector, objectSelector }: InjectionWebhook): string {
  const parts = [
    ['namespace', describeSelector(namespaceSelector)],
    ['pod', describeSelector(objectSelector)],
  ]
  return parts
    .filter(([, text]) => text !== '')
    .map(([what, text]) => `${what} ${text}`)
    .join('; ')
}

/**
 * The webhooks of the chart's default installation, revision "" (`templates/mutatingwebhook.yaml`):
 *
 * | webhook        | namespace                                   | pod                                        |
 * |----------------|---------------------------------------------|--------------------------------------------|
 * | rev.namespace. | istio.io/rev in (default), !istio-injection | inject notin (false)                       |
 * | rev.object.    | !istio.io/rev, !istio-injection             | inject notin (false), istio.io/rev=default |
 * | namespace.     | istio-injection=enabled                     | inject notin (false)                       |
 * | object.        | !istio-injection, !istio.io/rev             | inject in (true), !istio.io/rev            |
 */
export const DEFAULT_INSTALL: readonly InjectionWebhook[] = [
  entry('rev.namespace.', [is(REVISION, 'default'), absent(INJECTION_LABEL)], [notOptedOut()]),
  entry('rev.object.', [absent(REVISION), absent(INJECTION_LABEL)], [notOptedOut(), is(REVISION, 'default')]),
  entry('namespace.', [is(INJECTION_LABEL, 'enabled')], [notOptedOut()]),
  entry('object.', [absent(INJECTION_LABEL), absent(REVISION)], [is(INJECT, 'true'), absent(REVISION)]),
]

function entry(prefix: string, namespace: readonly Requirement[], pod: readonly Requirement[]): InjectionWebhook {
  return {
    configuration: 'istio-sidecar-injector',
    name: `${prefix}sidecar-injector.istio.io`,
    revision: 'default',
    isReinvoked: false,
    isManaged: false,
    network: undefined,
    namespaceSelector: { requirements: namespace },
    objectSelector: { requirements: pod },
  }
}

function is(key: string, value: string): Requirement {
  return { key, operator: 'In', values: [value] }
}

function absent(key: string): Requirement {
  return { key, operator: 'DoesNotExist', values: [] }
}

function notOptedOut(): Requirement {
  return { key: INJECT, operator: 'NotIn', values: ['false'] }
}
