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

{{/* A duration in ISO 8601 as whole seconds, rounded down. */}}
{{- define "bridge.seconds" -}}
{{- $seconds := 0 -}}
{{- range $unit, $factor := dict "D" 86400 "H" 3600 "M" 60 "S" 1 -}}
{{- $seconds = add $seconds (mul $factor (int (regexFind "[0-9]+" (regexFind (printf "[0-9]+([.][0-9]+)?%s" $unit) $)))) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* The shortest timeout of all Triggers, in seconds. */}}
{{- define "bridge.triggerTimeout" -}}
{{- $least := int (include "bridge.seconds" .Values.delivery.timeout) -}}
{{- range .Values.triggers -}}
{{- if and (kindIs "map" .) (hasKey . "delivery") -}}
{{- $least = min $least (int (include "bridge.seconds" .delivery.timeout)) -}}
{{- end -}}
{{- end -}}
{{- $least -}}
{{- end -}}
