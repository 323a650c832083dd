/** Reads text as Istio's Go code does: `strconv.ParseBool` and the port parsing of `pkg/kube/inject/validate.go`. */

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** `strconv.ParseBool`; undefined if Go returns an error. */
export function parseBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true
  return FALSE.has(text) ? false : undefined
}

/** `strconv.ParseUint(strings.TrimSpace(text), 10, 16)`; undefined if Go returns an error. */
export function parsePort(text: string): number | undefined {
  const trimmed = text.trim()
  if (!/^\d+$/.test(trimmed)) return undefined
  const port = Number(trimmed)
  return port <= 65535 ? port : undefined
}

/**
 * Reads a comma-separated list of ports, each trimmed; undefined if one does not parse. An empty text is an empty list.
 */
export function parsePorts(text: string): readonly number[] | undefined {
  if (text.trim() === '') return []
  const ports = text.trim().split(',').map(parsePort)
  return ports.every((port) => port !== undefined) ? ports : undefined
}

/** Whether `strconv.ParseUint(text, 10, 32)` succeeds. */
export function isUint32(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= 4294967295
}

/** `strconv.Atoi`; undefined if Go returns an error. */
export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}
