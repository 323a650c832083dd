{{/*
What the API server or kubelet would refuse of the pod template because two values do not fit together. By then, half of the
objects exist.
*/}}
{{- define "istio-onramp.refusePod" -}}
{{- include "istio-onramp.refuseResources" . -}}
{{- include "istio-onramp.refuseMounts" . -}}
{{- include "istio-onramp.refuseRollingUpdate" . -}}
{{- include "istio-onramp.refuseScheduling" . -}}
{{- $mustNotBeRoot := or .Values.podSecurityContext.runAsNonRoot .Values.securityContext.runAsNonRoot -}}
{{- if and $mustNotBeRoot (or (eq (toString .Values.podSecurityContext.runAsUser) "0") (eq (toString .Values.securityContext.runAsUser) "0")) -}}
{{- fail "runAsUser is 0 and runAsNonRoot is true: no container would start. Set another user in podSecurityContext or securityContext" -}}
{{- end -}}
{{- if and (eq .Values.dnsPolicy "None") (not (dig "nameservers" list .Values.dnsConfig)) -}}
{{- fail "dnsPolicy is None, which needs dnsConfig.nameservers" -}}
{{- end -}}
{{- if and (eq .Values.service.ipFamilyPolicy "SingleStack") (gt (len .Values.service.ipFamilies) 1) -}}
{{- fail "service.ipFamilyPolicy is SingleStack and service.ipFamilies names two: leave one, or set PreferDualStack" -}}
{{- end -}}
{{- $grace := include "istio-onramp.graceSeconds" . | int -}}
{{- range $hook := list "preStop" "postStart" -}}
{{- $seconds := dig $hook "sleep" "seconds" 0 $.Values.lifecycle | int -}}
{{- if gt $seconds $grace -}}
{{- fail (printf "lifecycle.%s.sleep.seconds is %d, and the pod has %d s to stop (preStopSeconds and config.shutdown.drainSeconds, and 40)" $hook $seconds $grace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The longest stop (serve.ts): leaving the Service, draining, calls in flight, and a margin. */}}
{{- define "istio-onramp.graceSeconds" -}}
{{- add .Values.preStopSeconds (dig "shutdown" "drainSeconds" 15 .Values.config) 40 -}}
{{- end -}}

{{- define "istio-onramp.refuseResources" -}}
{{- $limits := default dict .Values.resources.limits -}}
{{- range $name, $request := default dict .Values.resources.requests -}}
{{- $limit := get $limits $name -}}
{{- if and $limit (gt (include "istio-onramp.amount" $request | float64) (include "istio-onramp.amount" $limit | float64)) -}}
{{- fail (printf "resources.requests.%s (%v) is more than resources.limits.%s (%v)" $name $request $name $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A quantity as a number, which is exact enough to compare two. */}}
{{- define "istio-onramp.amount" -}}
{{- $text := toString . -}}
{{- $factors := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- $suffix := regexFind "([KMGTPE]i|[numkMGTPE])$" $text -}}
{{- mulf (trimSuffix $suffix $text | float64) (ternary (get $factors $suffix) 1.0 (ne $suffix "")) -}}
{{- end -}}

{{- define "istio-onramp.refuseMounts" -}}
{{- $volumes := list "config" -}}
{{- if ne .Values.certificates.mode "selfManaged" -}}
{{- $volumes = append $volumes "tls" -}}
{{- end -}}
{{- if .Values.clientCertificates.caConfigMap.name -}}
{{- $volumes = append $volumes "client-ca" -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- $paths := list "/etc/istio-onramp/config" "/etc/istio-onramp/tls" "/etc/istio-onramp/client-ca" -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- fail (printf "extraVolumeMounts: there is no volume %s: add it to extraVolumes" .name) -}}
{{- end -}}
{{- if has .mountPath $paths -}}
{{- fail (printf "extraVolumeMounts: %s is mounted already" .mountPath) -}}
{{- end -}}
{{- $paths = append $paths .mountPath -}}
{{- end -}}
{{- end -}}

{{- define "istio-onramp.refuseRollingUpdate" -}}
{{- $rolling := default dict .Values.updateStrategy.rollingUpdate -}}
{{- $none := list "0" "0%" "00%" -}}
{{- if and (eq .Values.updateStrategy.type "RollingUpdate") (has (toString $rolling.maxSurge) $none) (has (toString $rolling.maxUnavailable) $none) -}}
{{- fail "updateStrategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced" -}}
{{- end -}}
{{- end -}}

{{- define "istio-onramp.refuseScheduling" -}}
{{- $seen := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $key := printf "%s, %s" .topologyKey .whenUnsatisfiable -}}
{{- if has $key $seen -}}
{{- fail (printf "topologySpreadConstraints: two have %s: each pair of topologyKey and whenUnsatisfiable may be there once" $key) -}}
{{- end -}}
{{- $seen = append $seen $key -}}
{{- end -}}
{{- end -}}

{{/* Only where there is a live cluster. An object in a namespace that is not there fails after others exist. */}}
{{- define "istio-onramp.refuseMissingNamespaces" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" -}}
{{- range .Values.controlPlaneNamespaces -}}
{{- if not (lookup "v1" "Namespace" "" .) -}}
{{- fail (printf "controlPlaneNamespaces names %s, which this cluster does not have: create it first, or name the namespaces in which istiod runs" .) -}}
{{- end -}}
{{- end -}}
{{- range $value, $of := dict "serviceMonitor" .Values.serviceMonitor "podMonitor" .Values.podMonitor "prometheusRule" .Values.prometheusRule "dashboard" .Values.dashboard -}}
{{- if and $of.enabled $of.namespace (not (lookup "v1" "Namespace" "" $of.namespace)) -}}
{{- fail (printf "%s.namespace is %s, which this cluster does not have" $value $of.namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
