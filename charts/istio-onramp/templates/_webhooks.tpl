{{/* Shared by the entries of both webhook configurations. */}}

{{/*
Namespaces that are never reviewed, one per line: the cluster's own, the control planes', cert-manager's, the release's
and those that the user adds. The server's `exemptNamespaces` is the same list.
*/}}
{{- define "istio-onramp.excludedNamespaces" -}}
{{- $own := list "kube-system" "kube-public" "kube-node-lease" "cert-manager" .Release.Namespace -}}
{{- concat $own .Values.controlPlaneNamespaces .Values.excludeNamespaces | uniq | sortAlpha | join "\n" -}}
{{- end -}}

{{/* The name label cannot be changed, so a namespace cannot remove itself from the list. */}}
{{- define "istio-onramp.namespaceSelector" -}}
{{- with .Values.webhooks.namespaceSelector.matchLabels }}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{- end }}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      {{- range splitList "\n" (include "istio-onramp.excludedNamespaces" .) }}
      - {{ . | quote }}
      {{- end }}
  {{- with .Values.webhooks.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Takes (dict "root" $ "path" "/mutate"). */}}
{{- define "istio-onramp.clientConfig" -}}
{{- $values := .root.Values -}}
{{- if $values.webhooks.url }}
url: {{ printf "%s%s" (trimSuffix "/" $values.webhooks.url) .path | quote }}
{{- else }}
service:
  name: {{ include "istio-onramp.fullname" .root }}
  namespace: {{ .root.Release.Namespace | quote }}
  path: {{ .path | quote }}
  port: {{ $values.service.port }}
{{- end }}
{{- if eq $values.certificates.mode "existingSecret" }}
caBundle: {{ include "istio-onramp.caBundle" .root | b64enc }}
{{- end }}
{{- end -}}

{{/* The API server accepts any text here and fails at the first call, so it is checked here. */}}
{{- define "istio-onramp.caBundle" -}}
{{- $bundle := required "certificates.mode is existingSecret: certificates.existingSecret.caBundle must hold the PEM of the authority (--set-file certificates.existingSecret.caBundle=ca.crt)" .Values.certificates.existingSecret.caBundle -}}
{{- if not (contains "-----BEGIN CERTIFICATE-----" $bundle) -}}
{{- fail "certificates.existingSecret.caBundle is not PEM: it must hold -----BEGIN CERTIFICATE----- as text, not in base64" -}}
{{- end -}}
{{- $bundle -}}
{{- end -}}

{{- define "istio-onramp.webhookAnnotations" -}}
{{- with .Values.webhooks.annotations }}
{{ toYaml . }}
{{- end }}
{{- if eq .Values.certificates.mode "certManager" }}
cert-manager.io/inject-ca-from: {{ printf "%s/%s" .Release.Namespace (include "istio-onramp.tlsSecretName" .) | quote }}
{{- end }}
{{- end -}}

{{/*
The Ingress entry of both configurations. Takes (dict "root" $ "path" "/mutate" "failurePolicy" "Ignore" "timeout" 3).
Certificates must be renewed while the server is unavailable, whatever the failure policy, so ACME solvers are excluded.
*/}}
{{- define "istio-onramp.ingressEntry" -}}
- name: ingress.istio-onramp.io
  admissionReviewVersions: [v1]
  clientConfig:
    {{- include "istio-onramp.clientConfig" . | trim | nindent 4 }}
  failurePolicy: {{ .failurePolicy }}
  matchPolicy: Equivalent
  sideEffects: None
  timeoutSeconds: {{ .timeout }}
  namespaceSelector:
    {{- include "istio-onramp.namespaceSelector" .root | trim | nindent 4 }}
  rules:
    - apiGroups: [networking.k8s.io]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [ingresses]
      scope: Namespaced
  {{- if include "istio-onramp.isKubernetes130" .root }}
  matchConditions:
    # While a finalizer holds the object, an update may still change its routes.
    - name: not-only-waiting-for-finalizers
      expression: >-
        !(oldObject != null && has(object.metadata.deletionTimestamp) && object.spec == oldObject.spec
        && object.metadata.?annotations == oldObject.metadata.?annotations)
    - name: not-an-acme-solver
      expression: >-
        !(
        {{- include "istio-onramp.isAcmeSolver" . | nindent 8 }}
        )
  {{- end }}
{{- end -}}
