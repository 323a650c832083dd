/** What a conversion does to an estate of many Ingresses: by namespace, by lost feature, by shared host. */
import type { Conversion } from '../conversion/convert-ingresses.ts'
import { byLevel, needsAttention, type ReportLine } from '../conversion/model/report.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { arrayMember, memberAt, stringMember, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'

/**
 * | verdict       | the Ingress has                                          |
 * |---------------|----------------------------------------------------------|
 * | not           | an error: traffic or protection is lost                  |
 * | approximately | a line that differs or is not converted, but no error    |
 * | exactly       | neither                                                  |
 */
export type Verdict = 'exactly' | 'approximately' | 'not'

export interface EstateIngress {
  /** `namespace/name` */
  readonly id: string
  readonly namespace: string
  readonly verdict: Verdict
  /** Those that need attention first. */
  readonly lines: readonly ReportLine[]
}

export interface Estate {
  readonly ingresses: readonly EstateIngress[]
  /** By namespace, in alphabetical order. */
  readonly namespaces: ReadonlyMap<string, readonly EstateIngress[]>
  /** Fields and annotations that are not converted, the most frequent first. */
  readonly losses: readonly { readonly about: string; readonly count: number; readonly namespaces: readonly string[] }[]
  /** Hosts of several namespaces. */
  readonly shared: readonly { readonly host: string; readonly namespaces: readonly string[] }[]
}

export function estateOf({ report, hosts }: Pick<Conversion, 'report' | 'hosts'>): Estate {
  const ingresses = [...groupBy(report, ({ ingress }) => ingress)].map(([id, lines]) => ({
    id,
    namespace: namespaceOf(id),
    verdict: verdictOf(lines),
    lines: lines.toSorted(
      (left, right) => Number(needsAttention(right)) - Number(needsAttention(left)) || byLevel(left, right),
    ),
  }))
  const lost = report.filter(({ outcome }) => outcome === 'unsupported')
  const losses = [...groupBy(lost, ({ about }) => featureOf(about))].map(([about, lines]) => ({
    about,
    count: new Set(lines.map(({ ingress }) => ingress)).size,
    namespaces: distinct(lines.map(({ ingress }) => namespaceOf(ingress))),
  }))
  const shared = [...groupBy(hosts, ({ host }) => host)].map(([host, group]) => ({
    host,
    namespaces: distinct(group.map(({ namespace }) => namespace)),
  }))
  return {
    ingresses,
    namespaces: new Map(
      [...groupBy(ingresses, ({ namespace }) => namespace)].toSorted(([left], [right]) => (left < right ? -1 : 1)),
    ),
    losses: losses.toSorted((left, right) => right.count - left.count || (left.about < right.about ? -1 : 1)),
    shared: shared.filter(({ namespaces }) => namespaces.length > 1),
  }
}

export function countOf(ingresses: readonly EstateIngress[], verdict: Verdict): number {
  return ingresses.filter((ingress) => ingress.verdict === verdict).length
}

function verdictOf(lines: readonly ReportLine[]): Verdict {
  if (lines.some(({ level }) => level === 'error')) return 'not'
  return lines.some(({ outcome }) => outcome === 'approximate' || outcome === 'unsupported')
    ? 'approximately'
    : 'exactly'
}

function namespaceOf(id: string): string {
  return id.slice(0, id.indexOf('/'))
}

/** `spec.rules[3].http.paths[0]` is one feature in every Ingress. */
function featureOf(about: string): string {
  return about.replaceAll(/\[\d+\]/g, '[]')
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted()
}

/** Returns a lookup of the objects that an Ingress became, by its hosts and its name. */
export function objectsByIngress({ objects, hosts }: Conversion): (id: string) => readonly JsonObject[] {
  const byHost = groupBy(
    objects.flatMap((object) => hostsIn(object).map((host) => ({ host, object }))),
    ({ host }) => host,
  )
  const hostsOf = groupBy(
    hosts.flatMap((host) =>
      [...new Set([`${host.namespace}/${host.ingressName}`, ...host.routes.map(({ ingress }) => ingress)])].map(
        (id) => ({ id, host }),
      ),
    ),
    ({ id }) => id,
  )
  const scoped = groupBy(objects, (object) => referenceTo(object).name.replace(/-[a-z]+$/, ''))
  return (id) => {
    const own = (hostsOf.get(id) ?? []).flatMap(({ host }) =>
      (byHost.get(host.host) ?? [])
        .map(({ object }) => object)
        .filter((object) => isShared(object) || referenceTo(object).namespace === host.namespace),
    )
    return [...new Set([...own, ...(scoped.get(id.replace('/', '.')) ?? [])])]
  }
}

/** Gateways and certificates of several Ingresses may be in another namespace. */
function isShared({ kind }: JsonObject): boolean {
  return kind === 'Gateway' || kind === 'ListenerSet' || kind === 'Certificate'
}

function hostsIn(object: JsonObject): readonly string[] {
  const spec = memberAt(object, 'spec')
  const texts = ['hosts', 'hostnames', 'dnsNames'].flatMap((key) => arrayMember(spec, key))
  const servers = arrayMember(spec, 'servers').flatMap((server) => arrayMember(server, 'hosts'))
  const listeners = arrayMember(spec, 'listeners').map((listener) => stringMember(listener, 'hostname') ?? '')
  const names = [...texts, ...servers, ...listeners].filter((host) => typeof host === 'string')
  return [...new Set(names.map((host) => host.slice(host.indexOf('/') + 1)))]
}
