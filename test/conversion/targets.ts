import type { Target } from '../../src/conversion/conversion-options.ts'

export const TARGETS: readonly Target[] = ['istio', 'gateway-api']
