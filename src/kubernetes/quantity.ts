import { ownEntry, type Json } from './json.ts'

const SUFFIXES: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * Reads an API quantity as a number, `128Mi`, `1e3`, `0.5`; undefined if it is not a quantity (apimachinery
 * api/resource, Quantity).
 */
export function parseQuantity(value: Json | undefined): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const found = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+)|([a-zA-Z]{0,2}))$/.exec(String(value))
  if (found === null) return undefined
  const [, digits = '', exponent, suffix = ''] = found
  const factor = exponent === undefined ? ownEntry(SUFFIXES, suffix) : 10 ** Number(exponent)
  return factor === undefined ? undefined : Number(digits) * factor
}
