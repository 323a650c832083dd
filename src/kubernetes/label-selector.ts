/**
 * Label selectors as the API server evaluates them (k8s.io/apimachinery `metav1.LabelSelectorAsSelector`,
 * `labels.Requirement.Matches`).
 */
import { arrayMember, isObject, member, stringMap, stringMember, typeName, type JsonObject } from './json.ts'
import { isProblem, type Problem } from './problem.ts'

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const
type Operator = (typeof OPERATORS)[number]

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

export interface LabelSelector {
  readonly requirements: readonly Requirement[]
}

/** Matches every object: the default for a webhook without a selector. */
const EVERYTHING: LabelSelector = { requirements: [] }

/** Parses a LabelSelector; the problem's field is relative to it. Absent and `{}` select everything. */
export function parseSelector(value: unknown): LabelSelector | Problem {
  if (value === undefined || value === null) return EVERYTHING
  if (!isObject(value)) return { field: '', problem: 'a label selector must be an object' }
  const labels = readMatchLabels(value)
  if (isProblem(labels)) return labels
  const requirements: Requirement[] = [...labels].map(([key, text]) => ({ key, operator: 'In', values: [text] }))
  for (const [index, expression] of arrayMember(value, 'matchExpressions').entries()) {
    const requirement = parseRequirement(expression)
    if (isProblem(requirement)) return { ...requirement, field: `matchExpressions[${index}].${requirement.field}` }
    requirements.push(requirement)
  }
  return { requirements }
}

/**
 * Reads `matchLabels`; the problem's field is relative to the selector. A label that is not a string must not be dropped:
 * the selector would match more objects than it says.
 */
export function readMatchLabels(selector: JsonObject): ReadonlyMap<string, string> | Problem {
  const labels = member(selector, 'matchLabels') ?? {}
  if (!isObject(labels)) return { field: 'matchLabels', problem: `must be an object, not ${typeName(labels)}` }
  const wrong = Object.entries(labels).find(([, text]) => typeof text !== 'string')
  if (wrong === undefined) return stringMap(labels)
  return { field: `matchLabels[${wrong[0]}]`, problem: `must be a string, not ${typeName(wrong[1] ?? null)}` }
}

function parseRequirement(value: unknown): Requirement | Problem {
  const key = stringMember(value, 'key')
  if (key === undefined || key === '') return { field: 'key', problem: 'a label key is required' }
  const operator = OPERATORS.find((known) => known === stringMember(value, 'operator'))
  if (operator === undefined) return { field: 'operator', problem: `allowed are ${OPERATORS.join(', ')}` }
  const values = arrayMember(value, 'values').filter((text) => typeof text === 'string')
  const takesValues = operator === 'In' || operator === 'NotIn'
  if (takesValues !== values.length > 0)
    return { field: 'values', problem: `${takesValues ? 'required' : 'not allowed'} for operator ${operator}` }
  return { key, operator, values }
}

export function matches(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return selector.requirements.every((requirement) => meets(requirement, labels))
}

/** `NotIn` also matches an absent key (labels.Requirement.Matches). */
function meets({ key, operator, values }: Requirement, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/** Formats the selector in the notation of `kubectl -l`, for messages: `app=web,tier in (a,b),!legacy`. */
export function describeSelector(selector: LabelSelector): string {
  return selector.requirements.map(describeRequirement).join(',')
}

function describeRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values.join()}` : `${key} in (${values.join(',')})`
    case 'NotIn':
      return values.length === 1 ? `${key}!=${values.join()}` : `${key} notin (${values.join(',')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
  }
}

/** Whether the labels contain every pair of a plain map selector, such as a Service's. */
export function hasAll(labels: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): boolean {
  for (const [key, value] of wanted) if (labels.get(key) !== value) return false
  return true
}
