/**
 * Keeps the Ingresses of different controllers apart. The objects of one conversion are for one gateway, which has one
 * address: a host that two controllers serve there would get the routes of both.
 */
import { groupBy } from '../../kubernetes/group-by.ts'
import { classNameOf } from '../ingress/class-name.ts'
import type { EntryPoint } from '../ingress/entry-point.ts'
import type { Ingress, IngressRule } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { GatewaySettings } from '../model/conversion-options.ts'
import type { Note, Reported, ReportLine } from '../model/report.ts'

/** Removes the rules for hosts that an older Ingress of another controller has, in any namespace. */
export function separateEntryPoints(readings: readonly ReadIngress[]): Reported<readonly ReadIngress[]> {
  const owners = new Map<string, ReadIngress>()
  for (const reading of readings)
    for (const { host } of reading.ingress.rules)
      if (reading.entryPoint !== undefined && !owners.has(host)) owners.set(host, reading)
  const lines: ReportLine[] = []
  const value = readings.map((reading) => {
    const foreign = reading.ingress.rules.filter(({ host }) => isForeign(reading, owners.get(host)))
    lines.push(...foreign.flatMap((rule) => foreignLine(rule, reading, owners.get(rule.host)) ?? []))
    return foreign.length === 0 ? reading : { ...reading, ingress: withoutRules(reading.ingress, foreign) }
  })
  return { value, lines }
}

function isForeign({ entryPoint }: ReadIngress, owner: ReadIngress | undefined): boolean {
  return entryPoint !== undefined && owner?.entryPoint !== undefined && owner.entryPoint.key !== entryPoint.key
}

function foreignLine(
  { host, field }: IngressRule,
  { id, entryPoint }: ReadIngress,
  owner: ReadIngress | undefined,
): ReportLine | undefined {
  if (owner?.entryPoint === undefined || entryPoint === undefined) return undefined
  const message = `SECURITY: ${host === '' ? 'host *' : host} also belongs to ${owner.entryPoint.name}, by Ingress ${owner.id}. On one gateway, these routes would be reachable at the address of that class, so they are omitted. ${remedy(entryPoint)}`
  return { ingress: id, level: 'error', about: field, outcome: 'unsupported', message }
}

function remedy({ name }: EntryPoint): string {
  return `Convert the Ingresses of ${name} in a run of their own, with --config, where rules.gateway.selector names the gateway that takes over its address`
}

/** The default backend stays only if rules do: it serves the hosts of its rules. */
function withoutRules(ingress: Ingress, removed: readonly IngressRule[]): Ingress {
  const rules = ingress.rules.filter((rule) => !removed.includes(rule))
  const hosts = new Set(removed.map(({ host }) => host))
  const tls = ingress.tls
    .map((entry) => ({
      ...entry,
      hosts: entry.hosts.filter((host) => !hosts.has(host)),
      wasNamed: entry.hosts.length > 0,
    }))
    .filter((entry) => (entry.wasNamed ? entry.hosts.length > 0 : rules.length > 0))
    .map(({ hosts: names, secret, field }) => ({ hosts: names, secret, field }))
  return { ...ingress, rules, tls, defaultBackend: rules.length === 0 ? undefined : ingress.defaultBackend }
}

/** One warning for each class after the first. Classes of one controller count once. */
export function entryPointNotes(readings: readonly ReadIngress[], { selector }: GatewaySettings): readonly Note[] {
  const [first, ...further] = entryPointsOf(readings)
  if (first === undefined) return []
  const labels = Object.entries(selector).map(([key, value]) => `${key}: ${value}`)
  return further.map(([entryPoint, group]) => {
    const message = `its Ingresses (${idsOf(group)}) had another address than those of ${first[0].name}; now both are reachable at the gateway with ${labels.join(', ')}. ${remedy(entryPoint)}`
    return { level: 'warn', about: `ingress ${entryPoint.name}`, outcome: 'approximate', message }
  })
}

/** The same where each class has a Gateway of its own, with a load balancer that Istio makes. */
export function classGatewayNotes(readings: readonly ReadIngress[]): readonly Note[] {
  const [first, ...further] = entryPointsOf(readings)
  if (first === undefined) return []
  return further.map(([{ name }, group]) => {
    const message = `its Ingresses (${idsOf(group)}) get a Gateway of their own. SECURITY: Istio gives it a load balancer with a public address, unless spec.infrastructure.annotations of the Gateway ask for an internal one`
    return { level: 'warn', about: `ingress ${name}`, outcome: 'approximate', message }
  })
}

function entryPointsOf(readings: readonly ReadIngress[]): readonly (readonly [EntryPoint, readonly ReadIngress[]])[] {
  const named = readings.flatMap((reading) =>
    reading.entryPoint === undefined ? [] : [{ reading, entryPoint: reading.entryPoint }],
  )
  return [...groupBy(named, ({ entryPoint }) => entryPoint.key).values()].flatMap((group) =>
    group[0] === undefined ? [] : [[group[0].entryPoint, group.map(({ reading }) => reading)] as const],
  )
}

const MOST_IDS = 3

function idsOf(readings: readonly ReadIngress[]): string {
  const rest = readings.length > MOST_IDS ? ` and ${readings.length - MOST_IDS} more` : ''
  return `${readings
    .slice(0, MOST_IDS)
    .map(({ id }) => id)
    .join(', ')}${rest}`
}

/** An Ingress without a class is for the only class that the others have, which is taken for the default one. */
export function onlyClassOf(ingresses: readonly Ingress[]): string | undefined {
  const names = new Set(ingresses.flatMap((ingress) => classNameOf(ingress) ?? []))
  return names.size === 1 ? [...names][0] : undefined
}
