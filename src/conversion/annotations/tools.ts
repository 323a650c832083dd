/** Annotations of tools that work with any object, and annotations that name the class. */
import { foreign, notNeeded, type AnnotationTable, type Entry } from './entry.ts'

export const KUBERNETES: AnnotationTable = {
  'ingress.class': notNeeded('names the controller that the Ingress is for'),
}

const BOOKKEEPING = foreign('bookkeeping of a tool, which will write its own on the new objects')

/** Prefixes of tools with many keys. */
export const FOREIGN_PREFIXES: readonly (readonly [string, Entry])[] = [
  ['kubectl.kubernetes.io/', BOOKKEEPING],
  ['meta.helm.sh/', BOOKKEEPING],
  ['helm.sh/', foreign('read by Helm: copy it to the new objects')],
  ['argocd.argoproj.io/', foreign('read by Argo CD: copy it to the new objects')],
  ['kustomize.toolkit.fluxcd.io/', foreign('read by Flux: copy it to the new objects')],
  ['helm.toolkit.fluxcd.io/', BOOKKEEPING],
  ['reconcile.fluxcd.io/', BOOKKEEPING],
  ['field.cattle.io/', foreign('written by Rancher')],
  ['istio-onramp.io/', foreign('a setting of istio-onramp for this Ingress')],
  ['app.kubernetes.io/', foreign('descriptive; copy it to the new objects if you want it')],
  ['gethomepage.dev/', foreign('a dashboard reads it from Ingresses: configure the dashboard for the new objects')],
  ['hajimari.io/', foreign('a dashboard reads it from Ingresses: configure the dashboard for the new objects')],
  [
    'forecastle.stakater.com/',
    foreign('a dashboard reads it from Ingresses: configure the dashboard for the new objects'),
  ],
]
