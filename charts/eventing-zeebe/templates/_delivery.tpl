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

{{/* A duration in ISO 8601 with its fraction, in seconds. */}}
{{- define "bridge.exactSeconds" -}}
{{- $seconds := 0.0 -}}
{{- range $unit, $factor := dict "D" 86400 "H" 3600 "M" 60 "S" 1 -}}
{{- $number := trimSuffix $unit (regexFind (printf "[0-9]+([.][0-9]+)?%s" $unit) $) -}}
{{- $seconds = addf $seconds (mulf (float64 $number) $factor) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* How long a delivery block goes on with an event, in whole seconds, rounded up: every attempt may hang until its timeout,
and before the n-th retry, counted from 0, the Broker waits backoffDelay * 2^n, or backoffDelay * n. A year is the most;
all of it is floating point, which does not overflow into a short time. */}}
{{- define "bridge.deliveryHorizon" -}}
{{- $year := 31536000.0 -}}
{{- $retry := float64 .retry -}}
{{- $delay := include "bridge.exactSeconds" .backoffDelay | float64 -}}
{{- $waits := mulf $delay $retry (subf $retry 1) 0.5 -}}
{{- if eq .backoffPolicy "exponential" -}}
{{- $waits = 0.0 -}}
{{- range until (int (minf $retry 60)) -}}
{{- $waits = addf $waits $delay -}}
{{- $delay = mulf $delay 2 -}}
{{- end -}}
{{- end -}}
{{- $hanging := mulf (addf $retry 1) (include "bridge.exactSeconds" .timeout | float64) -}}
{{- ceil (minf $year (addf $waits $hanging)) | int64 -}}
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
