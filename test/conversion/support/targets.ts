import type { Target } from '../../../src/conversion/model/conversion-options.ts'

export const TARGETS: readonly Target[] = ['istio', 'gateway-api']
