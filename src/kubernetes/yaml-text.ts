/** Objects as the YAML that people copy: lines are not folded, and what stands twice is written twice. */
import { stringify } from 'yaml'
import type { JsonObject } from './json.ts'

/** Ends with a line break. */
export function toYaml(object: JsonObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}
