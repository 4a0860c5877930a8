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
    name: {{ .Values.deadLetters.name | quote }}
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

{{/* A duration in ISO 8601 in milliseconds. */}}
{{- define "bridge.milliseconds" -}}
{{- $milliseconds := 0 -}}
{{- range $unit, $factor := dict "D" 86400000 "H" 3600000 "M" 60000 "S" 1000 -}}
{{- $number := trimSuffix $unit (regexFind (printf "[0-9]+([.][0-9]+)?%s" $unit) $) -}}
{{- $milliseconds = add $milliseconds (round (mulf (float64 $number) $factor) 0 | int64) -}}
{{- end -}}
{{- $milliseconds -}}
{{- end -}}

{{/* How long a delivery block goes on with an event, in whole seconds, rounded up: every attempt may hang until its timeout,
and before the n-th retry, counted from 0, the Broker waits backoffDelay * 2^n, or backoffDelay * n. A year is the most. */}}
{{- define "bridge.deliveryHorizon" -}}
{{- $year := 31536000000 -}}
{{- $delay := int64 (include "bridge.milliseconds" .backoffDelay) -}}
{{- $retry := min (int64 .retry) 1000000 -}}
{{- $waits := 0 -}}
{{- if eq .backoffPolicy "linear" -}}
{{- $waits = min $year (mul $delay (div (mul $retry (sub $retry 1)) 2)) -}}
{{- else -}}
{{- range until (int (min $retry 45)) -}}
{{- $waits = min $year (add $waits $delay) -}}
{{- $delay = min $year (mul $delay 2) -}}
{{- end -}}
{{- end -}}
{{- $hanging := mul (add $retry 1) (int64 (include "bridge.milliseconds" .timeout)) -}}
{{- div (add (min $year (add $waits $hanging)) 999) 1000 -}}
{{- end -}}

{{/* The longest of all Triggers' horizons, in seconds. */}}
{{- define "bridge.triggerHorizon" -}}
{{- $most := int64 (include "bridge.deliveryHorizon" .Values.delivery) -}}
{{- range .Values.triggers -}}
{{- if and (kindIs "map" .) (hasKey . "delivery") -}}
{{- $most = max $most (int64 (include "bridge.deliveryHorizon" .delivery)) -}}
{{- end -}}
{{- end -}}
{{- $most -}}
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
