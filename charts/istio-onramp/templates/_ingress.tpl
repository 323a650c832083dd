{{/* CEL shared by the webhook's match conditions and the admission policy. */}}

{{/* A path `p` of an ACME challenge: one literal token, which no controller treats as a pattern. */}}
{{- define "istio-onramp.isChallenge" -}}
p.?path.orValue('').matches('^/[.]well-known/acme-challenge/[A-Za-z0-9_-]+$')
{{- end -}}

{{/* Created by cert-manager for one challenge. The label alone proves nothing, because users can set it. */}}
{{- define "istio-onramp.isAcmeSolver" -}}
object.metadata.?labels[?'acme.cert-manager.io/http01-solver'].orValue('') == 'true'
&& !has(object.spec.defaultBackend)
&& object.spec.?rules.orValue([]).size() > 0
&& object.spec.rules.all(r, r.?http.paths.orValue([]).size() > 0
&& r.http.paths.all(p, {{ include "istio-onramp.isChallenge" . }}))
&& !object.metadata.?annotations.orValue({}).exists(k, {{ include "istio-onramp.isWideningAnnotation" . }})
{{- end -}}

{{/* src/rules/ingress/route-annotations.ts has the same list with explanations. */}}
{{- define "istio-onramp.wideningWords" -}}
actions[.]|alias|app-root|conditions[.]|custom-http-errors|default-backend|from-to-www-redirect|hostname-extension|mergeable-ingress-type|passthrough|snippet
{{- end -}}
{{- define "istio-onramp.movingWords" -}}
backend-path-prefix|canary|ingress[.]class|mirror|path-regex|redirect|regex|rewrite|router[.]|strip-path|upstream-vhost
{{- end -}}

{{/* An annotation key `k`. */}}
{{- define "istio-onramp.isWideningAnnotation" -}}
(!k.endsWith('ssl-redirect') && k.matches('({{ include "istio-onramp.wideningWords" . }})[^/]*$'))
{{- end -}}
{{- define "istio-onramp.isRouteAnnotation" -}}
(!k.endsWith('ssl-redirect') && k.matches('({{ include "istio-onramp.wideningWords" . }}|{{ include "istio-onramp.movingWords" . }})[^/]*$'))
{{- end -}}

{{/*
The rules of `object` or `oldObject` that serve more than challenges: a path of its own, no path at all, or a default backend,
which serves all other paths of the host.
*/}}
{{- define "istio-onramp.ownRules" -}}
{{ . }}.spec.?rules.orValue([]).filter(r, has({{ . }}.spec.defaultBackend) || {{ . }}.metadata.?annotations.orValue({}).exists(k, k.endsWith('/default-backend')) || r.?http.paths.orValue([]).size() == 0 || r.http.paths.exists(p, !{{ include "istio-onramp.isChallenge" . }}))
{{- end -}}

{{- define "istio-onramp.isGatewayBackend" -}}
({{ . }}.?service.?name.orValue('') in variables.gatewayServices || {{ . }}.?service.?name.orValue('').endsWith('-istio'))
{{- end -}}

{{/* Namespaces whose Services may be gateways: `gateway.namespace` and the control planes' namespaces, as in the server. */}}
{{- define "istio-onramp.gatewayNamespaces" -}}
{{- $gateway := default dict .Values.config.rules.gateway -}}
{{- append .Values.controlPlaneNamespaces (default "istio-system" $gateway.namespace) | uniq | toJson -}}
{{- end -}}

{{/* Takes rules.ingressExemptions: how to get an exception. */}}
{{- define "istio-onramp.exception" -}}
{{- if eq . "object" -}}
To allow this Ingress anyway, annotate it or its namespace: istio-onramp.io/ingress: "allow" (or "warn").
{{- else if eq . "namespace" -}}
To allow Ingresses here anyway, annotate the namespace: istio-onramp.io/ingress: "allow" (or "warn").
{{- else -}}
Annotations allow no exception in this cluster: ask the platform team.
{{- end -}}
{{- end -}}
