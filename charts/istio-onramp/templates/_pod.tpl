{{/* Parts of the Deployment's pod template, for readability. */}}

{{/*
The reference of an image. Takes (dict "root" $ "image" .Values.image). A digest wins over a tag; imageRegistry takes the place
of the registry, which is the first part of a repository if it has a dot or a port.
*/}}
{{- define "istio-onramp.image" -}}
{{- $repository := .image.repository -}}
{{- with default (dig "imageRegistry" "" (default dict .root.Values.global)) .root.Values.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "given" LIST "value" "extraVolumes" "ours" (list "config" "tls")): the user's items by names of their own. */}}
{{- define "istio-onramp.named" -}}
{{- $names := .ours -}}
{{- $value := .value -}}
{{- range .given -}}
{{- if has .name $names -}}
{{- fail (printf "%s: the name %s is taken: give each item its own" $value .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toYaml .given -}}
{{- end -}}

{{/* Init containers share their names with these. */}}
{{- define "istio-onramp.containerNames" -}}
{{- $names := list "webhook" -}}
{{- range .Values.extraContainers -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toYaml $names -}}
{{- end -}}

{{- define "istio-onramp.extraArgs" -}}
{{- range .Values.extraArgs -}}
{{- with regexFind "^--(config|tls-cert|tls-key|tls-self-managed|listen|metrics|client-ca)(=|$)" . -}}
{{- fail (printf "extraArgs: the chart sets %s itself: use config, certificates, ports or clientCertificates" (trimSuffix "=" .)) -}}
{{- end -}}
{{- end -}}
{{- toYaml .Values.extraArgs -}}
{{- end -}}

{{/* `rollingUpdate` of the defaults is not for Recreate: the API server refuses both. */}}
{{- define "istio-onramp.updateStrategy" -}}
{{- if eq .Values.updateStrategy.type "Recreate" -}}
type: Recreate
{{- else -}}
{{- toYaml .Values.updateStrategy -}}
{{- end -}}
{{- end -}}

{{/* Scheduling of the pods. The default rules are soft, so that a cluster of one node still runs both. */}}
{{- define "istio-onramp.scheduling" -}}
affinity:
  {{- if .Values.affinity }}
  {{- toYaml .Values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "istio-onramp.selectorLabels" . | nindent 14 }}
  {{- end }}
topologySpreadConstraints:
  {{- if .Values.topologySpreadConstraints }}
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "istio-onramp.selectorLabels" . | nindent 8 }}
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default (ternary (include "istio-onramp.fullname" .) "" .Values.priorityClass.create) .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ . | quote }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
