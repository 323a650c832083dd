/**
 * The guard's setting, from the configuration, the namespace's annotation and the policy's own, and who may loosen it.
 */
import { annotationsOf, describe } from '../../kubernetes/object.ts'
import { STRICT_SWITCH_VALUES, type StrictSwitchSetting } from '../configuration.ts'
import { effectiveSetting } from '../exemption.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting } from '../setting.ts'

const STRICT_SWITCH = 'istio-onramp.io/strict-switch'

export interface SwitchSetting {
  readonly value: StrictSwitchSetting
  readonly exemptedBy: 'object' | 'namespace' | undefined
  readonly warnings: readonly string[]
}

const STRICTEST_FIRST: readonly StrictSwitchSetting[] = ['deny', 'warn', 'allow']

export function readSwitchSetting(
  { reference, object }: WriteRequest,
  { mesh, configuration }: RuleContext,
): SwitchSetting {
  const { namespace } = reference
  const own = { owner: describe(reference), annotations: annotationsOf(object) }
  const space = { owner: `namespace ${namespace}`, annotations: mesh.namespace(namespace).annotations }
  const ofObject = readSetting(STRICT_SWITCH, STRICT_SWITCH_VALUES, undefined, [own])
  const ofNamespace = readSetting(STRICT_SWITCH, STRICT_SWITCH_VALUES, undefined, [space])
  const { value, exemptedBy } = effectiveSetting(configuration.strictSwitchExemptions, STRICTEST_FIRST, {
    configured: configuration.strictSwitch,
    namespace: ofNamespace.value,
    object: ofObject.value,
  })
  return { value, exemptedBy, warnings: [...ofObject.warnings, ...ofNamespace.warnings] }
}
