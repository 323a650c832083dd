/** The first stage: each Ingress with its controller and its settings. No later stage reads an annotation. */
import { accountForAnnotations } from './annotations/account-for-annotations.ts'
import type { AllIngresses } from './annotations/entry.ts'
import { withPathExpressions } from './annotations/path-expressions.ts'
import { backendAtOf } from './annotations/nginx/auth-service.ts'
import { authHeadersOf } from './annotations/nginx/external-auth.ts'
import { withOwnDefaults } from './annotations/nginx/defaults.ts'
import { ignoredAnnotations, inheritedFor, inheritedNote, withHsts } from './annotations/nginx/inherited-settings.ts'
import { onlyClassOf } from './hosts/entry-points.ts'
import { controllerClass } from './ingress/controller-class.ts'
import { classNameOf } from './ingress/class-name.ts'
import { entryPointOf } from './ingress/entry-point.ts'
import { ingressId, type Ingress } from './ingress/ingress.ts'
import type { ReadIngress } from './ingress/read-ingress.ts'
import type { ConversionOptions } from './model/conversion-options.ts'
import { collect, type Claim, type Reported, type ReportLine } from './model/report.ts'

/**
 * Returns the oldest Ingress first, so that it wins a conflict, as in ingress-nginx (`sortIngressSlice` in
 * kubernetes/ingress-nginx internal/ingress/controller/store/store.go). Ingresses without a creation time keep their
 * order.
 */
export function readIngresses(
  ingresses: readonly Ingress[],
  options: ConversionOptions,
): Reported<readonly ReadIngress[], ReportLine | Claim> {
  const oldestFirst = ingresses.toSorted((left, right) =>
    left.createdAt === right.createdAt ? 0 : left.createdAt < right.createdAt ? -1 : 1,
  )
  const { portNumber, gateway } = options
  const backendAt = backendAtOf(ingresses, { portNumber, clusterDomain: gateway.clusterDomain })
  const all: AllIngresses = {
    middlewares: options.middlewares ?? new Map(),
    backendAt,
    ruleHosts: new Set(ingresses.flatMap(({ rules }) => rules.map(({ host }) => host))),
    authHeaders: authHeadersOf(ingresses, backendAt, gateway.clusterDomain),
  }
  const defaultClass = options.defaultClass ?? onlyClassOf(ingresses)
  return collect(oldestFirst.map((ingress) => readIngress(ingress, { ...options, defaultClass }, all)))
}

function readIngress(
  unclassed: Ingress,
  options: ConversionOptions,
  all: AllIngresses,
): Reported<ReadIngress, ReportLine | Claim> {
  const classed = withDefaultClass(unclassed, options)
  const controller = controllerClass(classed, options.controllerOf)
  const ignored = ignoredAnnotations(classed, controller, options)
  const given = ignored.size === 0 ? classed : withoutAnnotations(classed, ignored)
  const inherited = inheritedFor(given, controller, options)
  const ingress =
    inherited.size === 0 ? given : { ...given, annotations: new Map([...inherited, ...given.annotations]) }
  const { value: settings, lines } = accountForAnnotations(ingress, controller, options, all)
  const isOwn = (line: ReportLine | Claim) => !inherited.has('decidedBy' in line ? line.line.about : line.about)
  const read = {
    ingress,
    id: ingressId(ingress),
    controller,
    entryPoint: entryPointOf(given, controller, options),
    settings: withHsts(settings, ingress, controller, options),
  }
  const notes = lines
    .filter((line) => !isOwn(line))
    .map((line) => inheritedNote('decidedBy' in line ? line.line : line))
  const reading = withPathExpressions(withOwnDefaults({ ...read, inherited: notes }))
  const ignoredLines = [...ignored].map(([about, message]) => ignoredLine(read.id, about, message))
  return { value: reading, lines: [...ingress.lines, ...ignoredLines, ...lines.filter(isOwn)] }
}

/** The API server gives an Ingress without a class the default one, unless its annotations are for another controller. */
function withDefaultClass(ingress: Ingress, { defaultClass, controllerOf }: ConversionOptions): Ingress {
  if (defaultClass === undefined || classNameOf(ingress) !== undefined) return ingress
  const classed = { ...ingress, className: defaultClass }
  const own = controllerClass(ingress, controllerOf)
  return own === 'unknown' || own === controllerClass(classed, controllerOf) ? classed : ingress
}

function withoutAnnotations(ingress: Ingress, ignored: ReadonlyMap<string, string>): Ingress {
  return { ...ingress, annotations: new Map([...ingress.annotations].filter(([key]) => !ignored.has(key))) }
}

function ignoredLine(ingress: string, about: string, message: string): ReportLine {
  return { ingress, level: 'info', about, outcome: 'not-needed', message }
}
