{{/* The file of rules.inline. */}}
{{- define "bridge.rulesFile" -}}
{{- toYaml .Values.rules.inline -}}
{{- end -}}

{{/* A length of time as rules have it, 1h30m or PT1H30M, in seconds; empty where it is none, which the bridge says better. */}}
{{- define "bridge.ruleSeconds" -}}
{{- $text := toString . -}}
{{- if regexMatch "^(([0-9]{1,9}(ms|[smhd]))+|P([0-9]{1,9}[WD])*(T([0-9]{1,9}[HMS])+)?)$" $text -}}
{{- $seconds := 0.0 -}}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 "W" 604800.0 "D" 86400.0 "H" 3600.0 "M" 60.0 "S" 1.0 -}}
{{- range regexFindAll "[0-9]+[a-zA-Z]+" (replace "T" "" $text) -1 -}}
{{- $seconds = addf $seconds (mulf (regexFind "[0-9]+" . | float64) (get $units (regexFind "[a-zA-Z]+" .))) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}
{{- end -}}

{{/* A start whose own time to live ends before the Triggers give up is refused by the bridge, which would not start. */}}
{{- define "bridge.validateRules" -}}
{{- $horizon := dig "BRIDGE_TRIGGER_HORIZON_SECONDS" (max 600 (include "bridge.triggerHorizon" . | int64)) .Values.config | int64 -}}
{{- $rules := get .Values.rules.inline "rules" -}}
{{- range (ternary $rules list (kindIs "slice" $rules)) -}}
{{- $start := ternary . dict (kindIs "map" .) | dig "start" dict -}}
{{- if and (kindIs "map" $start) (hasKey $start "message") (hasKey $start "time_to_live") -}}
{{- $lives := include "bridge.ruleSeconds" $start.time_to_live -}}
{{- if and $lives (lt (float64 $lives) (float64 $horizon)) -}}
{{- fail (printf "rules.inline: the rule %q starts a process and has the time_to_live %s, but delivery, or a Trigger's own, may go on with an event for %d s: a redelivery after that would start another; write %ds or more, or retry less often" (toString .name) $start.time_to_live $horizon $horizon) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Its ConfigMap, named by what is in it: a Revision goes on with the rules that it was made with. */}}
{{- define "bridge.rulesName" -}}
{{- printf "%s-rules-%s" (include "bridge.fullname" .) (include "bridge.rulesFile" . | sha256sum | trunc 10) -}}
{{- end -}}
