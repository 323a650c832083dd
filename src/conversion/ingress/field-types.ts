/**
 * Fields of an Ingress' spec with the wrong type. The API server rejects them, so a file with one was never applied.
 * Treating `path: 404` as an absent path would match every request.
 */
import { arrayMember, isObject, member, memberAt, typeName, type Json } from '../../kubernetes/json.ts'
import type { Problem } from '../../kubernetes/problem.ts'

/** Each problem says what the conversion omits because of it. */
export function fieldTypeProblems(spec: Json | undefined): readonly Problem[] {
  return [
    ...['rules', 'tls'].flatMap((key) => listProblem(member(spec, key), `spec.${key}`, 'it is ignored')),
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
    ...textProblem(member(rule, 'host'), `${field}.host`, 'the rule is omitted'),
    ...listProblem(member(http, 'paths'), `${field}.http.paths`, 'it is ignored'),
    ...arrayMember(http, 'paths').flatMap((path, index) => pathProblems(path, `${field}.http.paths[${index}]`)),
  ]
}

function textProblem(value: Json | undefined, field: string, effect: string): readonly Problem[] {
  if (value === undefined || value === null || typeof value === 'string') return []
  const advice = isObject(value) || Array.isArray(value) ? '' : `: put ${JSON.stringify(value)} in quotes`
  return [{ field, problem: `must be a string, not ${typeName(value)}${advice}; ${effect}` }]
}

function pathProblems(path: Json, field: string): readonly Problem[] {
  return [
    ...textProblem(member(path, 'path'), `${field}.path`, 'the path is omitted'),
    ...pathTypeProblem(member(path, 'pathType'), `${field}.pathType`),
    ...portProblems(member(path, 'backend'), `${field}.backend`),
  ]
}

function pathTypeProblem(value: Json | undefined, field: string): readonly Problem[] {
  const allowed = ['Exact', 'Prefix', 'ImplementationSpecific']
  if (value === undefined || value === null || (typeof value === 'string' && allowed.includes(value))) return []
  const problem = `is ${JSON.stringify(value)}; allowed are Exact, Prefix or ImplementationSpecific; the path is omitted`
  return [{ field, problem }]
}

/** `servicePort` of the older versions may be both. */
function portProblems(backend: Json | undefined, field: string): readonly Problem[] {
  const port = memberAt(backend, 'service', 'port')
  const [number, name] = [member(port, 'number'), member(port, 'name')]
  const effect = 'its path is omitted'
  if (number === undefined || number === null || typeof number === 'number')
    return textProblem(name, `${field}.service.port.name`, effect)
  const problem = `is ${JSON.stringify(number)}; allowed is a number from 1 to 65535, without quotes; ${effect}`
  return [{ field: `${field}.service.port.number`, problem }]
}

function tlsProblems(entry: Json, field: string): readonly Problem[] {
  const hosts = member(entry, 'hosts')
  const effect = 'the entry is omitted and gives its hosts no TLS'
  return [
    ...listProblem(hosts, `${field}.hosts`, effect),
    ...arrayMember(entry, 'hosts').flatMap((host, index) => textProblem(host, `${field}.hosts[${index}]`, effect)),
    ...textProblem(member(entry, 'secretName'), `${field}.secretName`, effect),
  ]
}
