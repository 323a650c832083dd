/** Annotations of tools that handle any object, and those that name the class. */
import { foreign, notNeeded, type AnnotationTable, type Entry } from './entry.ts'

export const KUBERNETES: AnnotationTable = {
  'ingress.class': notNeeded('names the controller that the Ingress is for'),
}

const BOOKKEEPING = foreign("its tool's own bookkeeping; the new objects get their own")

/** Keys by prefix, for tools that write many. */
export const FOREIGN_PREFIXES: readonly (readonly [string, Entry])[] = [
  ['kubectl.kubernetes.io/', BOOKKEEPING],
  ['meta.helm.sh/', BOOKKEEPING],
  ['helm.sh/', foreign("Helm's: it belongs on the new objects, too")],
  ['argocd.argoproj.io/', foreign("Argo CD's: it belongs on the new objects, too")],
  ['kustomize.toolkit.fluxcd.io/', foreign("Flux': it belongs on the new objects, too")],
  ['helm.toolkit.fluxcd.io/', BOOKKEEPING],
  ['reconcile.fluxcd.io/', BOOKKEEPING],
  ['field.cattle.io/', foreign("Rancher's")],
  ['istio-onramp.io/', foreign('a setting of istio-onramp for this Ingress')],
  ['app.kubernetes.io/', foreign('a description; copy it where you want it')],
  ['gethomepage.dev/', foreign('a dashboard reads it from Ingresses; it has to be told of the new objects')],
  ['hajimari.io/', foreign('a dashboard reads it from Ingresses; it has to be told of the new objects')],
  ['forecastle.stakater.com/', foreign('a dashboard reads it from Ingresses; it has to be told of the new objects')],
]
