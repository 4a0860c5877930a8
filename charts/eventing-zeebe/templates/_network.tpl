{{/* Pieces of the network policies. */}}

{{- define "bridge.scraped" -}}
{{- with .Values.networkPolicy.monitoringNamespace -}}
- from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ . | quote }}
  ports:
    - port: 9095
      protocol: TCP
{{- end -}}
{{- end -}}

{{/* The port of a URL: as written, or the scheme's. */}}
{{- define "bridge.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- if regexMatch ":[0-9]+$" $host -}}
{{- regexFind "[0-9]+$" $host -}}
{{- else -}}
{{- if hasPrefix "https" . }}443{{ else }}80{{ end -}}
{{- end -}}
{{- end -}}

{{- define "bridge.egress" -}}
# Names. Where a cluster's DNS is differs.
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
# The engine's gateway, wherever it is.
- ports:
    - port: {{ include "bridge.portOf" .Values.engine.address }}
      protocol: TCP
{{- with .Values.credentials.authorizationServerUrl }}
- ports:
    - port: {{ include "bridge.portOf" . }}
      protocol: TCP
{{- end }}
{{- range $collector := list .Values.otlp.endpoint (get .Values.config "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") (get .Values.config "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") }}
{{- if $collector }}
- ports:
    - port: {{ include "bridge.portOf" (toString $collector) }}
      protocol: TCP
{{- end }}
{{- end }}
{{- range .Values.networkPolicy.egressPorts }}
- ports:
    - port: {{ . }}
      protocol: TCP
{{- end }}
{{- end -}}

{{/* Where Brokers run. */}}
{{- define "bridge.brokers" -}}
{{- range .Values.networkPolicy.brokerNamespaces }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bridge.toBroker" -}}
# The Broker's ingress.
- to:
    {{- include "bridge.brokers" . | nindent 4 }}
  ports:
    - port: 8080
      protocol: TCP
    - port: 8443
      protocol: TCP
{{- end -}}
