{{/* The file of rules.inline. */}}
{{- define "bridge.rulesFile" -}}
{{- toYaml .Values.rules.inline -}}
{{- end -}}

{{/* Its ConfigMap, named by what is in it: a Revision goes on with the rules that it was made with. */}}
{{- define "bridge.rulesName" -}}
{{- printf "%s-rules-%s" (include "bridge.fullname" .) (include "bridge.rulesFile" . | sha256sum | trunc 10) -}}
{{- end -}}
