{{/* A complete delivery block: a Trigger's replaces the Broker's, nothing is merged. */}}
{{- define "bridge.delivery" -}}
retry: {{ .Values.delivery.retry }}
backoffPolicy: {{ .Values.delivery.backoffPolicy }}
backoffDelay: {{ .Values.delivery.backoffDelay }}
timeout: {{ .Values.delivery.timeout }}
deadLetterSink:
  {{- if .Values.delivery.deadLetterSink }}
  {{- toYaml .Values.delivery.deadLetterSink | nindent 2 }}
  {{- else }}
  ref:
    apiVersion: v1
    kind: Service
    name: {{ .Values.deadLetters.name }}
  {{- end }}
{{- end -}}

{{/* The name of the Trigger for a type: `Tickets.CheckedOut` -> `FULLNAME-tickets-checked-out`. */}}
{{- define "bridge.triggerName" -}}
{{- $words := regexReplaceAll "([a-z0-9])([A-Z])" .type "${1}-${2}" | lower -}}
{{- $words = regexReplaceAll "[^a-z0-9]+" $words "-" | trimAll "-" -}}
{{- printf "%s-%s" (include "bridge.fullname" .root) $words -}}
{{- end -}}
