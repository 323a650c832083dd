{{/* Names and labels. Every template takes the root context. */}}

{{- define "istio-onramp.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "istio-onramp.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "istio-onramp.labels" -}}
{{ include "istio-onramp.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "istio-onramp.serviceAccountName" -}}
{{- $own := ternary (include "istio-onramp.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* The Secret with the pods' tls.crt and tls.key. */}}
{{- define "istio-onramp.tlsSecretName" -}}
{{- if eq .Values.certificates.mode "existingSecret" -}}
{{- required "certificates.mode is existingSecret: certificates.existingSecret.name must name the Secret with tls.crt and tls.key" .Values.certificates.existingSecret.name -}}
{{- else -}}
{{- printf "%s-tls" (include "istio-onramp.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* From 1.30 on, every cluster has matchConditions, ValidatingAdmissionPolicy and preStop.sleep. */}}
{{- define "istio-onramp.isKubernetes130" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end -}}
