{{/* Shared by the entries of both webhook configurations. */}}

{{/*
Namespaces that are never reviewed, one per line: the cluster's own, the control planes', those of other admission webhooks,
the release's, those of the presets, and those that the user adds. The server's `exemptNamespaces` is the same list.
*/}}
{{- define "istio-onramp.excludedNamespaces" -}}
{{- $own := list "kube-system" "kube-public" "kube-node-lease" "cert-manager" "gatekeeper-system" "kyverno" -}}
{{- $all := concat $own (list (include "istio-onramp.namespace" .)) .Values.controlPlaneNamespaces .Values.excludeNamespaces -}}
{{- $presets := .Files.Get "files/namespace-presets.yaml" | fromYaml -}}
{{- range .Values.excludeNamespacePresets -}}
{{- $all = concat $all (get $presets .) -}}
{{- end -}}
{{- $all | uniq | sortAlpha | join "\n" -}}
{{- end -}}

{{/*
Takes (dict "root" $ "also" .Values.webhooks.pods.namespaceSelector): every condition of both selectors has to hold. The name
label cannot be changed, so a namespace cannot remove itself from the list.
*/}}
{{- define "istio-onramp.namespaceSelector" -}}
{{- $common := .root.Values.webhooks.namespaceSelector -}}
{{- $also := default dict .also -}}
{{- $twice := list -}}
{{- range $key, $value := default dict $also.matchLabels -}}
{{- if and (hasKey (default dict $common.matchLabels) $key) (ne $value (get $common.matchLabels $key)) -}}
{{- $twice = append $twice $key -}}
{{- end -}}
{{- end -}}
{{- with $twice -}}
{{- fail (printf "label %s has one value in webhooks.namespaceSelector and another in the selector of a webhook: no namespace can have both" (first .)) -}}
{{- end -}}
{{- with merge (dict) (default dict $also.matchLabels) (default dict $common.matchLabels) }}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{- end }}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      {{- range splitList "\n" (include "istio-onramp.excludedNamespaces" .root) }}
      - {{ . | quote }}
      {{- end }}
  {{- with concat (default list $common.matchExpressions) (default list $also.matchExpressions) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The user's match conditions of an entry. Takes (dict "root" $ "function" "pods" "names" (list "not-host-network")). */}}
{{- define "istio-onramp.moreConditions" -}}
{{- $names := .names -}}
{{- $function := .function -}}
{{- $conditions := get (get .root.Values.webhooks $function) "matchConditions" -}}
{{- range $conditions -}}
{{- if has .name $names -}}
{{- fail (printf "webhooks.%s.matchConditions: the name %s is taken: give each condition its own" $function .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- with $conditions }}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "path" "/mutate"). */}}
{{- define "istio-onramp.clientConfig" -}}
{{- $values := .root.Values -}}
{{- if $values.webhooks.url }}
url: {{ printf "%s%s" (trimSuffix "/" $values.webhooks.url) .path | quote }}
{{- else }}
service:
  name: {{ include "istio-onramp.fullname" .root }}
  namespace: {{ include "istio-onramp.namespace" .root | quote }}
  path: {{ .path | quote }}
  port: {{ $values.service.port }}
{{- end }}
{{- if eq $values.certificates.mode "existingSecret" }}
caBundle: {{ include "istio-onramp.caBundle" .root | b64enc }}
{{- end }}
{{- end -}}

{{/*
The API server accepts any text here and fails at the first call, so each certificate is read here: as Go reads it, after
checks that can name what is wrong. A certificate is one DER sequence, whose length stands in its first bytes.
*/}}
{{- define "istio-onramp.caBundle" -}}
{{- $value := "certificates.existingSecret.caBundle" -}}
{{- $bundle := required (printf "certificates.mode is existingSecret: %s must hold the PEM of the authority (--set-file %s=ca.crt)" $value $value) .Values.certificates.existingSecret.caBundle -}}
{{- if contains "PRIVATE KEY" $bundle -}}
{{- fail (printf "%s holds a private key. Everybody who may read webhook configurations could read it: give only the certificates, and replace that key" $value) -}}
{{- end -}}
{{- $certificate := "-----BEGIN CERTIFICATE-----\\s+([A-Za-z0-9+/=\\s]+)-----END CERTIFICATE-----" -}}
{{- if not (contains "-----BEGIN CERTIFICATE-----" $bundle) -}}
{{- fail (printf "%s is not PEM: it must hold -----BEGIN CERTIFICATE----- as text, not in base64" $value) -}}
{{- end -}}
{{- if contains "-----" (regexReplaceAll $certificate $bundle "") -}}
{{- fail (printf "%s holds something besides whole certificates, or one that is cut: each must go from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----" $value) -}}
{{- end -}}
{{- range $index, $block := regexFindAll $certificate $bundle -1 -}}
{{- $body := regexReplaceAll "\\s" (regexReplaceAll $certificate $block "${1}") "" -}}
{{- if not (regexMatch "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$" $body) -}}
{{- fail (printf "%s: certificate %d is cut or damaged: its base64 is not whole" $value (add1 $index)) -}}
{{- end -}}
{{- $parsed := buildCustomCert (b64enc $block) (genPrivateKey "ecdsa" | b64enc) -}}
{{- end -}}
{{- $bundle -}}
{{- end -}}

{{- define "istio-onramp.webhookAnnotations" -}}
{{- $ours := dict -}}
{{- if eq .Values.certificates.mode "certManager" -}}
{{- $ours = dict "cert-manager.io/inject-ca-from" (printf "%s/%s" (include "istio-onramp.namespace" .) (include "istio-onramp.tlsSecretName" .)) -}}
{{- end -}}
{{- include "istio-onramp.union" (dict "ours" $ours "yours" .Values.webhooks.annotations "value" "webhooks.annotations") -}}
{{- end -}}

{{/*
The Ingress entry of both configurations. Takes (dict "root" $ "path" "/mutate" "failurePolicy" "Ignore"). It has no object
selector: users choose their labels, and a rule that a label switches off is none.
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
  timeoutSeconds: {{ .root.Values.webhooks.ingress.timeoutSeconds }}
  namespaceSelector:
    {{- include "istio-onramp.namespaceSelector" (dict "root" .root "also" .root.Values.webhooks.ingress.namespaceSelector) | trim | nindent 4 }}
  objectSelector: {}
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
    {{- include "istio-onramp.moreConditions" (dict "root" .root "function" "ingress" "names" (list "not-only-waiting-for-finalizers" "not-an-acme-solver")) | nindent 4 }}
  {{- end }}
{{- end -}}
