{{/* Names and labels. Every template takes the root context, unless a comment says what it takes. */}}

{{/*
Names of namespaced objects. A long name is cut, and a hash of the whole keeps two releases apart. It is also the name of the
Service, which the API server takes only as a DNS label that starts with a letter.
*/}}
{{- define "istio-onramp.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full = default $full .Values.fullnameOverride -}}
{{- if gt (len $full) 50 -}}
{{- $full = printf "%s-%s" ($full | trunc 41 | trimSuffix "-") (sha256sum $full | trunc 8) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $full) -}}
{{- fail (printf "the name %q, made from the release and the chart, is not a DNS label that starts with a letter: set fullnameOverride" $full) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{- define "istio-onramp.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "istio-onramp.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "istio-onramp.labels" -}}
{{- include "istio-onramp.labelsWith" (dict "root" . "yours" dict "value" "commonLabels") -}}
{{- end -}}

{{- define "istio-onramp.ownLabels" -}}
{{ include "istio-onramp.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/*
Labels of an object that has more of its own. Takes (dict "root" $ "yours" .Values.podLabels "value" "podLabels"), and "ours"
where the chart sets more than on every object. A label of the object wins over one of commonLabels.
*/}}
{{- define "istio-onramp.labelsWith" -}}
{{- $ours := merge (include "istio-onramp.ownLabels" .root | fromYaml) (default dict .ours) -}}
{{- $common := include "istio-onramp.union" (dict "ours" $ours "yours" .root.Values.commonLabels "value" "commonLabels") | fromYaml -}}
{{- $own := include "istio-onramp.union" (dict "ours" $ours "yours" .yours "value" .value) | fromYaml -}}
{{- merge $own $common | toYaml -}}
{{- end -}}

{{/*
One map of the chart's keys and the user's. Takes (dict "ours" map "yours" map "value" "podLabels"), and refuses a key that
the chart needs as it is: a label of the selector, or the one that keeps the pods out of the mesh.
*/}}
{{- define "istio-onramp.union" -}}
{{- $ours := .ours -}}
{{- $value := .value -}}
{{- range $key, $_ := .yours -}}
{{- if hasKey $ours $key -}}
{{- fail (printf "%s: the chart sets %s itself (%v). Remove it from %s" $value $key (get $ours $key) $value) -}}
{{- end -}}
{{- end -}}
{{- merge (dict) $ours (default dict .yours) | toYaml -}}
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

{{/* The Secret in which the server keeps its authority. Other than cert-manager's, which outlives a change of the mode. */}}
{{- define "istio-onramp.authoritySecretName" -}}
{{- printf "%s-self-managed" (include "istio-onramp.fullname" .) -}}
{{- end -}}

{{/*
The name of both webhook configurations. With existingSecret the chart renders caBundle, else it is written at runtime. A change
between the two would be a conflict over that field for Helm 4, after the Deployment has changed: another name makes it another
object.
*/}}
{{- define "istio-onramp.configurationName" -}}
{{- .Values.webhooks.configurationName -}}{{ if eq .Values.certificates.mode "existingSecret" }}-existing-secret{{ end }}
{{- end -}}

{{/* The names in the serving certificate, one per line. */}}
{{- define "istio-onramp.dnsNames" -}}
{{- $name := include "istio-onramp.fullname" . -}}
{{- $qualified := printf "%s.%s" $name (include "istio-onramp.namespace" .) -}}
{{- list (printf "%s.svc" $qualified) (printf "%s.svc.cluster.local" $qualified) $qualified $name | join "\n" -}}
{{- end -}}

{{/* From 1.30 on, every cluster has matchConditions, ValidatingAdmissionPolicy and preStop.sleep. */}}
{{- define "istio-onramp.isKubernetes130" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end -}}
