/**
 * The effect of one call of istiod's injector on a pod (docs/facts/agent-probes.md#when-probes-are-rewritten,
 * docs/facts/injection.md#templates; `pkg/kube/inject/webhook.go`).
 */
import { readAgent } from './agent.ts'
import { INJECTION_TEMPLATES } from './annotations.ts'
import {
  CHART_INJECTOR,
  type Injector,
  type InterceptionMode,
  type MergedTemplates,
  type Template,
} from './control-plane.ts'
import { annotationsAfter } from './injected-annotations.ts'
import { labelsAfter } from './injected-labels.ts'
import type { InjectionCall, InjectionPass } from './injection-call.ts'
import { mergedScrapeAnnotations, refusedScrapeAnnotation } from './prometheus-annotations.ts'
import { interceptionModeOf } from './proxy-config.ts'
import { redirectionAfter } from './redirection.ts'
import { rewritingAfter } from './rewriting.ts'

export function inject(
  call: InjectionCall,
):
  | { readonly state: 'injected'; readonly pass: InjectionPass }
  | { readonly state: 'refused'; readonly evidence: string } {
  const injector = call.controlPlane.injector ?? CHART_INJECTOR
  const names = selectTemplates(call.pod.annotations, injector)
  const templates = names.map((name) => injector.templates.get(name))
  const missing = names[templates.indexOf(undefined)]
  if (missing !== undefined)
    return { state: 'refused', evidence: `Istio has no injection template ${JSON.stringify(missing)}` }
  const { statusPort, mergesMetrics } = call.controlPlane
  const refused = refusedScrapeAnnotation(call.pod.annotations, statusPort, mergesMetrics)
  if (refused !== undefined) return { state: 'refused', evidence: `Istio refuses annotation ${refused}` }
  const effect = mergeTemplates(templates.filter((template) => template !== undefined))
  const mode = interceptionModeOf(call.pod.annotations, call.controlPlane)
  if (mode === undefined) return { state: 'refused', evidence: 'Istio refuses annotation proxy.istio.io/config' }
  return { state: 'injected', pass: makePass(call, injector, effect, mode) }
}

/**
 * `inject.istio.io/templates`, a comma-separated list; an alias names several templates (`inject.go` selectTemplates).
 */
function selectTemplates(annotations: ReadonlyMap<string, string>, injector: Injector): readonly string[] {
  const wanted = annotations.get(INJECTION_TEMPLATES)
  const names = wanted === undefined ? injector.defaultTemplates : wanted.split(',').map((name) => name.trim())
  return names.flatMap((name) => injector.aliases.get(name) ?? [name])
}

/** Istio merges the templates in order; a later annotation wins. */
function mergeTemplates(templates: readonly Template[]): MergedTemplates {
  const sidecar = templates.findLastIndex(({ redirects }) => redirects)
  const before = templates.slice(0, Math.max(sidecar, 0)).findLast(({ proxyType }) => proxyType !== 'none')
  return {
    movedProxyType: before?.redirects === false ? before.proxyType : 'none',
    proxyType: templates.findLast(({ proxyType }) => proxyType !== 'none')?.proxyType ?? 'none',
    redirects: templates.some((template) => template.redirects),
    disablesEnvoy: templates.some((template) => template.disablesEnvoy),
    rewriteAnnotation: templates.findLast((template) => template.rewriteAnnotation !== undefined)?.rewriteAnnotation,
  }
}

function makePass(
  call: InjectionCall,
  injector: Injector,
  effect: MergedTemplates,
  mode: InterceptionMode,
): InjectionPass {
  const { statusPort, mergesMetrics } = call.controlPlane
  const templated = annotationsAfter(call.pod.annotations, injector, effect, mode)
  const annotations = mergedScrapeAnnotations(templated, statusPort, mergesMetrics)
  const proxied = hasProxy(call, effect)
  const rewriting = rewritingAfter(call.controlPlane, annotations, { proxied, isManaged: call.isManaged })
  return {
    isInjected: true,
    hasProxy: proxied || call.previous?.hasProxy === true,
    controlPlane: call.controlPlane,
    redirection: redirectionAfter({
      previous: call.previous?.redirection,
      template: call.subject.template,
      pod: call.pod,
      injector,
      effect,
      mode,
      annotations,
    }),
    rewriting:
      rewriting.state !== 'on' && call.previous?.rewriting.state === 'on' ? call.previous.rewriting : rewriting,
    agent: {
      ...readAgent(annotations, call.controlPlane, call.previous?.agent.listensOn),
      isReplaced: call.previous !== undefined && effect.movedProxyType !== 'none',
    },
    isCarried: call.previous?.isCarried === true,
    isReinvoked: call.isReinvoked || call.previous?.isReinvoked === true,
    labels: labelsAfter(call, effect),
    annotations,
    evidence: call.evidence,
  }
}

/** Whether the templates add a proxy, or the manifest has one for them to complete. */
function hasProxy({ subject }: InjectionCall, effect: MergedTemplates): boolean {
  return effect.proxyType !== 'none' || subject.template.containers.some(({ name }) => name === 'istio-proxy')
}
