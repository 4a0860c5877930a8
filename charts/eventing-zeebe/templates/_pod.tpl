{{/* What the pods of both roles have in common. */}}

{{/* Variables that both roles read. */}}
{{- define "bridge.engineEnv" -}}
- name: ZEEBE_GRPC_ADDRESS
  value: {{ .Values.engine.address | quote }}
{{- with .Values.engine.name }}
- name: BRIDGE_ENGINE_NAME
  value: {{ . | quote }}
{{- end }}
{{- with .Values.engine.tenantId }}
- name: ZEEBE_DEFAULT_TENANT_ID
  value: {{ . | quote }}
{{- end }}
{{- with .Values.engine.tls.caKey }}
- name: ZEEBE_CA_CERTIFICATE_PATH
  value: /etc/eventing-zeebe/tls/{{ . }}
{{- end }}
{{- with .Values.engine.tls.certificateKey }}
- name: ZEEBE_CLIENT_CERTIFICATE_PATH
  value: /etc/eventing-zeebe/tls/{{ . }}
{{- end }}
{{- with .Values.engine.tls.keyKey }}
- name: ZEEBE_CLIENT_KEY_PATH
  value: /etc/eventing-zeebe/tls/{{ . }}
{{- end }}
{{- with .Values.engine.tls.overrideAuthority }}
- name: ZEEBE_OVERRIDE_AUTHORITY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.credentials.authorizationServerUrl }}
- name: ZEEBE_AUTHORIZATION_SERVER_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.credentials.audience }}
- name: ZEEBE_TOKEN_AUDIENCE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.credentials.scope }}
- name: ZEEBE_TOKEN_SCOPE
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Of whoever works jobs. */}}
{{- define "bridge.tokenEnv" -}}
{{- if and .Values.oidc.enabled (not (hasKey .Values.config "BRIDGE_OIDC_TOKEN_REQUIRED")) }}
# The Broker asks for a token, which the SinkBinding brings a moment after its address: a pod that has only the address
# works no jobs.
- name: BRIDGE_OIDC_TOKEN_REQUIRED
  value: "true"
{{- end }}
{{- end -}}

{{/* BRIDGE_GRACE_SECONDS, of which 0 is a value as well. */}}
{{- define "bridge.grace" -}}
{{- if hasKey .Values.config "BRIDGE_GRACE_SECONDS" -}}
{{- int (get .Values.config "BRIDGE_GRACE_SECONDS") -}}
{{- else -}}
25
{{- end -}}
{{- end -}}

{{- define "bridge.otherEnv" -}}
# Readiness and metrics, apart from what senders reach. 9090 and 9091 are the queue proxy's.
- name: BRIDGE_ADMIN_PORT
  value: "9095"
{{- if .Values.otlp.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.otlp.endpoint | quote }}
{{- with .Values.otlp.protocol }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.otlp.sampler }}
- name: OTEL_TRACES_SAMPLER
  value: {{ . | quote }}
{{- end }}
{{- /* 0 is a ratio as well. */}}
{{- if ne (toString .Values.otlp.samplerArg) "" }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .Values.otlp.samplerArg | quote }}
{{- end }}
{{- with .Values.otlp.headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . | quote }}
      key: headers
{{- end }}
{{- end }}
{{- range $name, $value := .Values.config }}
{{- /* Numbers of a values file are floating point: 33554432 would be 3.3554432e+07. Fractions stay as they are. */}}
{{- $whole := false }}
{{- if kindIs "float64" $value }}
{{- $whole = eq $value (floor $value) }}
{{- end }}
- name: {{ $name | quote }}
  value: {{ ternary (int64 $value) $value $whole | toString | quote }}
{{- end }}
{{- end -}}

{{- define "bridge.envFrom" -}}
- secretRef:
    {{- if .Values.credentials.existingSecret }}
    name: {{ .Values.credentials.existingSecret | quote }}
    {{- else }}
    # ZEEBE_CLIENT_ID, ZEEBE_CLIENT_SECRET and the like, where the engine asks for them.
    name: {{ include "bridge.fullname" . }}-credentials
    optional: true
    {{- end }}
{{- end -}}

{{- define "bridge.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Fields of the pod that Kubernetes and Knative have alike. */}}
{{- define "bridge.podFields" -}}
# A Service that happens to be called zeebe would set ZEEBE_PORT and the like.
enableServiceLinks: false
# It never speaks to the API server.
automountServiceAccountToken: false
{{- with .Values.serviceAccount.name }}
serviceAccountName: {{ . | quote }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bridge.tlsMount" -}}
{{- if .Values.engine.tls.existingSecret }}
- name: tls
  mountPath: /etc/eventing-zeebe/tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "bridge.tlsVolume" -}}
{{- with .Values.engine.tls.existingSecret }}
- name: tls
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bridge.modelsVolume" -}}
- name: models
  configMap:
    {{- if .Values.models.existingConfigMap }}
    name: {{ .Values.models.existingConfigMap | quote }}
    {{- else }}
    name: {{ include "bridge.fullname" . }}-models
    # Models may as well come from elsewhere.
    optional: true
    {{- end }}
{{- end -}}
