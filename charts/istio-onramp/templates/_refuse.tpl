{{/*
What the schema cannot say, because it looks at two values, and what the API server would refuse after half of the objects
exist. Each message names the values and what to do.
*/}}
{{- define "istio-onramp.refuse" -}}
{{- include "istio-onramp.refusePorts" . -}}
{{- include "istio-onramp.refuseLimits" . -}}
{{- include "istio-onramp.refuseMonitoring" . -}}
{{- include "istio-onramp.refuseVerification" . -}}
{{- include "istio-onramp.refusePod" . -}}
{{- include "istio-onramp.refuseMissingNamespaces" . -}}
{{- if eq .Values.certificates.mode "certManager" -}}
{{- include "istio-onramp.refuseWithoutCertManager" . -}}
{{- include "istio-onramp.refuseLifetimes" . -}}
{{- else if eq .Values.certificates.mode "selfManaged" -}}
{{- include "istio-onramp.refuseSelfManagedLifetimes" . -}}
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

{{- define "istio-onramp.refuseVerification" -}}
{{- if and .Values.verify.afterInstall (not (include "istio-onramp.hasVerification" .)) -}}
{{- fail (printf "verify.afterInstall is on, but cannot be done: it needs rbac.create, a webhook that is enabled, and a verify.namespace (%s) that is not excluded" .Values.verify.namespace) -}}
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

{{/* Only where there is a live cluster: `helm template` finds no namespace, and renders for any cluster. */}}
{{- define "istio-onramp.refuseWithoutCertManager" -}}
{{- if not (.Capabilities.APIVersions.Has "cert-manager.io/v1") -}}
{{- if lookup "v1" "Namespace" "" "kube-system" -}}
{{- fail "certificates.mode is certManager, and this cluster does not serve cert-manager.io/v1: install cert-manager first, or set certificates.mode=selfManaged (the webhook keeps its own authority) or certificates.mode=existingSecret (your own certificate)" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the server would refuse as well (docs/reference/configuration.md), and lifetimes that no tick of its could keep. */}}
{{- define "istio-onramp.refuseSelfManagedLifetimes" -}}
{{- $options := .Values.certificates.selfManaged -}}
{{- $path := "certificates.selfManaged" -}}
{{- $authority := include "istio-onramp.seconds" $options.authorityDuration | int64 -}}
{{- $leaf := include "istio-onramp.seconds" $options.leafDuration | int64 -}}
{{- $delay := include "istio-onramp.seconds" $options.trustDelay | int64 -}}
{{- if lt $leaf 60 -}}
{{- fail (printf "%s.leafDuration is %s: at least 1m is needed" $path $options.leafDuration) -}}
{{- end -}}
{{- if lt $authority (mul 3 $leaf) -}}
{{- fail (printf "%s.authorityDuration (%s) must be at least three times %s.leafDuration (%s), or a rotation would not have the time" $path $options.authorityDuration $path $options.leafDuration) -}}
{{- end -}}
{{- if lt $authority (mul 6 $delay) -}}
{{- fail (printf "%s.trustDelay (%s) must be at most a sixth of %s.authorityDuration (%s), or a rotation would not have the time" $path $options.trustDelay $path $options.authorityDuration) -}}
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
