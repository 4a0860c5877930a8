{{/* What things are called, and the labels that they carry. */}}

{{- define "bridge.name" -}}
{{- default .Chart.Name .Values.nameOverride -}}
{{- end -}}

{{- define "bridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := include "bridge.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "component" "sink"), and a "name" for what is not the bridge. */}}
{{- define "bridge.labels" -}}
app.kubernetes.io/name: {{ default (include "bridge.name" .root) .name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
app.kubernetes.io/part-of: eventing-zeebe
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | quote }}
{{- end -}}

{{/* Labels of pods: the same but for those that a new chart changes without a new program. */}}
{{- define "bridge.podLabels" -}}
app.kubernetes.io/name: {{ default (include "bridge.name" .root) .name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
app.kubernetes.io/part-of: eventing-zeebe
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "image" .Values.image) */}}
{{- define "bridge.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The component of the Knative Service. */}}
{{- define "bridge.component" -}}
{{- if eq .Values.topology "combined" }}bridge{{ else }}sink{{ end -}}
{{- end -}}

{{- define "bridge.audience" -}}
{{- default (include "bridge.fullname" .) .Values.oidc.audience -}}
{{- end -}}
