/** The active rules. A new rule is a folder next to `probes/` and a line here. */
import { egressRule } from './egress/egress-rule.ts'
import { ingressRule } from './ingress/ingress-rule.ts'
import { probesRule } from './probes/probes-rule.ts'
import type { Rule } from './rule.ts'
import { strictSwitchRule } from './strict-switch/strict-switch-rule.ts'

export const RULES: readonly Rule[] = [probesRule, egressRule, ingressRule, strictSwitchRule]
