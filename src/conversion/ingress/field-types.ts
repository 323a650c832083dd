/**
 * Fields of an Ingress' spec that are not of their type. The API server refuses them, so that a file which holds one was
 * never in force; read as something else, `path: 404` would take every request.
 */
import { arrayMember, isObject, member, memberAt, typeName, type Json } from '../../kubernetes/json.ts'
import type { Problem } from '../../kubernetes/problem.ts'

/** Each problem says what the conversion leaves out because of it. */
export function fieldTypeProblems(spec: Json | undefined): readonly Problem[] {
  return [
    ...['rules', 'tls'].flatMap((key) => listProblem(member(spec, key), `spec.${key}`, 'nothing of it was read')),
    ...arrayMember(spec, 'rules').flatMap((rule, index) => ruleProblems(rule, `spec.rules[${index}]`)),
    ...arrayMember(spec, 'tls').flatMap((entry, index) => tlsProblems(entry, `spec.tls[${index}]`)),
    ...portProblems(member(spec, 'defaultBackend'), 'spec.defaultBackend'),
  ]
}

function listProblem(value: Json | undefined, field: string, effect: string): readonly Problem[] {
  if (value === undefined || value === null || Array.isArray(value)) return []
  return [{ field, problem: `must be a list, not ${typeName(value)}; ${effect}` }]
}

function ruleProblems(rule: Json, field: string): readonly Problem[] {
  const http = member(rule, 'http')
  return [
    ...textProblem(member(rule, 'host'), `${field}.host`, 'the rule is left out'),
    ...listProblem(member(http, 'paths'), `${field}.http.paths`, 'nothing of it was read'),
    ...arrayMember(http, 'paths').flatMap((path, index) => pathProblems(path, `${field}.http.paths[${index}]`)),
  ]
}

function textProblem(value: Json | undefined, field: string, effect: string): readonly Problem[] {
  if (value === undefined || value === null || typeof value === 'string') return []
  const advice = isObject(value) || Array.isArray(value) ? '' : `: put ${JSON.stringify(value)} into quotes`
  return [{ field, problem: `must be a text, not ${typeName(value)}${advice}; ${effect}` }]
}

function pathProblems(path: Json, field: string): readonly Problem[] {
  return [
    ...textProblem(member(path, 'path'), `${field}.path`, 'the path is left out'),
    ...pathTypeProblem(member(path, 'pathType'), `${field}.pathType`),
    ...portProblems(member(path, 'backend'), `${field}.backend`),
  ]
}

function pathTypeProblem(value: Json | undefined, field: string): readonly Problem[] {
  const allowed = ['Exact', 'Prefix', 'ImplementationSpecific']
  if (value === undefined || value === null || (typeof value === 'string' && allowed.includes(value))) return []
  const problem = `is ${JSON.stringify(value)}, allowed is Exact, Prefix or ImplementationSpecific; the path is left out`
  return [{ field, problem }]
}

/** `servicePort` of the older versions may be both. */
function portProblems(backend: Json | undefined, field: string): readonly Problem[] {
  const port = memberAt(backend, 'service', 'port')
  const [number, name] = [member(port, 'number'), member(port, 'name')]
  const effect = 'what leads to it is left out'
  if (number === undefined || number === null || typeof number === 'number')
    return textProblem(name, `${field}.service.port.name`, effect)
  const problem = `is ${JSON.stringify(number)}, allowed is a number from 1 to 65535, without quotes; ${effect}`
  return [{ field: `${field}.service.port.number`, problem }]
}

function tlsProblems(entry: Json, field: string): readonly Problem[] {
  const hosts = member(entry, 'hosts')
  const effect = 'the entry is left out, and its hosts have no TLS by it'
  return [
    ...listProblem(hosts, `${field}.hosts`, effect),
    ...arrayMember(entry, 'hosts').flatMap((host, index) => textProblem(host, `${field}.hosts[${index}]`, effect)),
    ...textProblem(member(entry, 'secretName'), `${field}.secretName`, effect),
  ]
}
