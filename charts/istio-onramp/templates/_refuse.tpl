{{/*
What the schema cannot say, because it looks at two values, and what the API server would refuse after half of the objects
exist. Each message names the values and what to do.
*/}}
{{- define "istio-onramp.refuse" -}}
{{- include "istio-onramp.refusePorts" . -}}
{{- include "istio-onramp.refuseLimits" . -}}
{{- include "istio-onramp.refuseMonitoring" . -}}
{{- if eq .Values.certificates.mode "certManager" -}}
{{- include "istio-onramp.refuseLifetimes" . -}}
{{- end -}}
{{- end -}}

{{- define "istio-onramp.refusePorts" -}}
{{- if eq (int .Values.ports.https) (int .Values.ports.metrics) -}}
{{- fail (printf "ports.https and ports.metrics are both %d: the server listens on each, so they must differ" (int .Values.ports.https)) -}}
{{- end -}}
{{- if eq (int .Values.service.port) (int .Values.ports.metrics) -}}
{{- fail (printf "service.port and ports.metrics are both %d: the Service has both, so they must differ" (int .Values.service.port)) -}}
{{- end -}}
{{- if and .Values.hostNetwork (eq (int .Values.ports.https) 10250) -}}
{{- fail "hostNetwork is on and ports.https is 10250, which is the kubelet's own on every node: set another, for example 10260" -}}
{{- end -}}
{{- end -}}

{{/* The defaults are the server's: docs/reference/configuration.md. */}}
{{- define "istio-onramp.refuseLimits" -}}
{{- $limits := default dict .Values.config.limits -}}
{{- $request := int64 (default 33554432 $limits.requestBytes) -}}
{{- $inFlight := int64 (default 67108864 $limits.inFlightBytes) -}}
{{- if gt $request $inFlight -}}
{{- fail (printf "config.limits.requestBytes (%d) is more than config.limits.inFlightBytes (%d): no request of that size would ever be read" $request $inFlight) -}}
{{- end -}}
{{- end -}}

{{- define "istio-onramp.refuseMonitoring" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled are both true: each series would be there twice. Switch one off" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas (%d) is more than autoscaling.maxReplicas (%d)" (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}

{{/* cert-manager takes no duration under an hour, and no renewBefore under five minutes. */}}
{{- define "istio-onramp.refuseLifetimes" -}}
{{- $options := .Values.certificates.certManager -}}
{{- $issuer := $options.issuerRef -}}
{{- if and (not $issuer.name) (or $issuer.kind $issuer.group) -}}
{{- fail "certificates.certManager.issuerRef has a kind or a group but no name: name the issuer, or remove both for the chart's own authority" -}}
{{- end -}}
{{- include "istio-onramp.refuseLifetime" (dict "value" "certificates.certManager" "of" $options) -}}
{{- if not $issuer.name -}}
{{- include "istio-onramp.refuseLifetime" (dict "value" "certificates.certManager.authority" "of" $options.authority) -}}
{{- if le (include "istio-onramp.seconds" $options.authority.duration | int64) (include "istio-onramp.seconds" $options.duration | int64) -}}
{{- fail (printf "certificates.certManager.authority.duration (%s) must be longer than certificates.certManager.duration (%s), which it signs" $options.authority.duration $options.duration) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "value" PATH "of" (dict "duration" "2160h" "renewBefore" "720h")). */}}
{{- define "istio-onramp.refuseLifetime" -}}
{{- $duration := include "istio-onramp.seconds" .of.duration | int64 -}}
{{- $renewBefore := include "istio-onramp.seconds" .of.renewBefore | int64 -}}
{{- if lt $duration 3600 -}}
{{- fail (printf "%s.duration is %s: cert-manager takes no less than 1h" .value .of.duration) -}}
{{- end -}}
{{- if lt $renewBefore 300 -}}
{{- fail (printf "%s.renewBefore is %s: cert-manager takes no less than 5m" .value .of.renewBefore) -}}
{{- end -}}
{{- if ge $renewBefore $duration -}}
{{- fail (printf "%s.renewBefore (%s) must be shorter than %s.duration (%s)" .value .of.renewBefore .value .of.duration) -}}
{{- end -}}
{{- end -}}

{{/* Seconds of a duration in Go's notation. */}}
{{- define "istio-onramp.seconds" -}}
{{- $start := toDate "2006-01-02" "2026-01-01" -}}
{{- sub (mustDateModify . $start | unixEpoch | int64) ($start | unixEpoch | int64) -}}
{{- end -}}
