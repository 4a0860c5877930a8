{{/* Mistakes that a schema cannot see, or says badly. Each message names the value, and what to do. */}}
{{- define "bridge.validate" -}}
{{- $full := include "bridge.fullname" . -}}
{{- if gt (len $full) 44 -}}
{{- fail (printf "the name %q has %d characters; Knative adds some for each Revision, so 44 are the most: set fullnameOverride" $full (len $full)) -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/\\s:]+(:[0-9]{1,5})?/?$" .Values.engine.address) -}}
{{- fail (printf "engine.address is %q: write http://HOST:PORT, or https://HOST:PORT for TLS" .Values.engine.address) -}}
{{- end -}}
{{- range $name, $url := dict "credentials.authorizationServerUrl" .Values.credentials.authorizationServerUrl "otlp.endpoint" .Values.otlp.endpoint "config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" (dig "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" "" .Values.config | toString) "config.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" (dig "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" "" .Values.config | toString) -}}
{{- if and $url (not (regexMatch "^https?://[^/\\s]+(/\\S*)?$" $url)) -}}
{{- fail (printf "%s is %q: write a URL with http:// or https://" $name $url) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.oidc.enabled (not (regexMatch "^https://[^/\\s]+(/\\S*)?$" .Values.oidc.issuer)) -}}
{{- fail (printf "oidc.issuer is %q: write the issuer's URL, with https://, as its tokens have it in `iss`" .Values.oidc.issuer) -}}
{{- end -}}
{{- $tried := 10 -}}
{{- if hasKey .Values.config "BRIDGE_RETRY_IN_REQUEST_SECONDS" -}}
{{- $tried = int (get .Values.config "BRIDGE_RETRY_IN_REQUEST_SECONDS") -}}
{{- end -}}
{{- include "bridge.validateDelivery" (dict "place" "delivery" "delivery" .Values.delivery "tried" $tried) -}}
{{- if and .Values.rules.inline .Values.rules.existingConfigMap -}}
{{- fail "rules.inline and rules.existingConfigMap are both set: keep the one that you mean" -}}
{{- end -}}
{{- if and .Values.rules.inline (not (hasKey .Values.rules.inline "rules")) -}}
{{- fail "rules.inline has no `rules`: it is the whole rules file, `rules: {inline: {rules: [...]}}` (docs/RULES.md)" -}}
{{- end -}}
{{- if and .Values.rules.revision (not .Values.rules.existingConfigMap) -}}
{{- fail "rules.revision is set without rules.existingConfigMap: a change of rules.inline makes new pods by itself" -}}
{{- end -}}
{{- $grace := int (include "bridge.grace" .) -}}
{{- if gt (add 30 $grace) (int .Values.sink.timeoutSeconds) -}}
{{- fail (printf "sink.timeoutSeconds is %d, which is also the grace of a pod: the queue proxy takes 30 s of it and the bridge %d (BRIDGE_GRACE_SECONDS), so %d is the least" (int .Values.sink.timeoutSeconds) $grace (add 30 $grace)) -}}
{{- end -}}
{{- if eq .Values.topology "combined" -}}
{{- if gt (add (int .Values.sink.drainSeconds) $grace) (int .Values.sink.timeoutSeconds) -}}
{{- fail (printf "sink.drainSeconds is %d: a wake-up is cut off at sink.timeoutSeconds, %d, less the grace, %d, so %d is the most" (int .Values.sink.drainSeconds) (int .Values.sink.timeoutSeconds) $grace (sub (int .Values.sink.timeoutSeconds) $grace)) -}}
{{- end -}}
{{- if ne (toString .Values.source.replicas) "1" -}}
{{- fail "source.replicas is set, but topology combined has no Deployment of the source: use sink.maxScale" -}}
{{- end -}}
{{- if or .Values.source.resources .Values.source.annotations -}}
{{- fail "source.resources and source.annotations are those of a Deployment that topology combined does not have: use sink.resources and sink.annotations" -}}
{{- end -}}
{{- end -}}
{{- if gt (int .Values.sink.minScale) (int .Values.sink.maxScale) -}}
{{- if ne (int .Values.sink.maxScale) 0 -}}
{{- fail (printf "sink.minScale, %d, is above sink.maxScale, %d" (int .Values.sink.minScale) (int .Values.sink.maxScale)) -}}
{{- end -}}
{{- end -}}
{{- $tls := .Values.engine.tls -}}
{{- if and (or $tls.caKey $tls.certificateKey $tls.keyKey) (not $tls.existingSecret) -}}
{{- fail "engine.tls names keys, but not their Secret: set engine.tls.existingSecret" -}}
{{- end -}}
{{- if and $tls.existingSecret (not (or $tls.caKey $tls.certificateKey)) -}}
{{- fail "engine.tls.existingSecret is set, but none of its keys is used: set engine.tls.caKey, or certificateKey and keyKey" -}}
{{- end -}}
{{- if ne (empty $tls.certificateKey) (empty $tls.keyKey) -}}
{{- fail "engine.tls.certificateKey and engine.tls.keyKey go together" -}}
{{- end -}}
{{- if and $tls.existingSecret (hasPrefix "http://" .Values.engine.address) -}}
{{- fail (printf "engine.address is %q, which is without TLS, but engine.tls.existingSecret is set: write https://" .Values.engine.address) -}}
{{- end -}}
{{- if and (not .Values.deadLetters.enabled) (not .Values.delivery.deadLetterSink) -}}
{{- fail "deadLetters.enabled is false and delivery.deadLetterSink is empty: events that cannot be delivered would be lost; name a sink" -}}
{{- end -}}
{{- if and (not .Values.otlp.endpoint) (or .Values.otlp.protocol .Values.otlp.headersSecret .Values.otlp.sampler (ne (toString .Values.otlp.samplerArg) "")) -}}
{{- fail "otlp has settings, but no otlp.endpoint: nothing would be sent" -}}
{{- end -}}
{{- if and (not .Values.sink.clusterLocal) (not .Values.oidc.enabled) -}}
{{- fail "sink.clusterLocal is false, and oidc.enabled too: whoever reaches the bridge could act on processes" -}}
{{- end -}}
{{- range $label, $_ := .Values.podLabels -}}
{{- if regexMatch "^(app[.]kubernetes[.]io/(name|instance|component|part-of|version)|([a-z]+[.])?knative[.]dev/.*)$" $label -}}
{{- fail (printf "podLabels has %q, which the chart or Knative sets and selects pods by: take another name" $label) -}}
{{- end -}}
{{- end -}}
{{- $horizon := int64 (include "bridge.triggerHorizon" .) -}}
{{- $told := int64 (dig "BRIDGE_TRIGGER_HORIZON_SECONDS" $horizon .Values.config) -}}
{{- if lt $told $horizon -}}
{{- fail (printf "config.BRIDGE_TRIGGER_HORIZON_SECONDS is %d, but delivery, or a Trigger's own, goes on with an event for %d s: leave it out, then the chart sets it" $told $horizon) -}}
{{- end -}}
{{- $remembered := int64 (dig "BRIDGE_TIME_TO_LIVE_SECONDS" 3600 .Values.config) -}}
{{- if lt $remembered $horizon -}}
{{- fail (printf "delivery, or a Trigger's own, goes on with an event for %d s (retry, backoffDelay and timeout together), but the engine knows a second one for %d s only: retry less often, or set config.BRIDGE_TIME_TO_LIVE_SECONDS above it" $horizon $remembered) -}}
{{- end -}}
{{- include "bridge.validateRules" . -}}
{{- $names := dict -}}
{{- $types := dict -}}
{{- range $index, $trigger := .Values.triggers -}}
{{- $name := "" -}}
{{- if kindIs "string" $trigger -}}
{{- $name = include "bridge.triggerName" (dict "root" $ "type" $trigger) -}}
{{- else -}}
{{- $name = printf "%s-%s" $full $trigger.name -}}
{{- if eq (hasKey $trigger "types") (hasKey $trigger "filters") -}}
{{- fail (printf "triggers[%d]: %q is to have either types, of which it takes each event, or filters as Knative has them" $index $trigger.name) -}}
{{- end -}}
{{- if $trigger.delivery -}}
{{- include "bridge.validateDelivery" (dict "place" (printf "triggers[%d].delivery" $index) "delivery" $trigger.delivery "tried" $tried) -}}
{{- end -}}
{{- end -}}
{{- if gt (len $name) 63 -}}
{{- fail (printf "triggers[%d]: the name %q has %d characters, 63 are the most: write the Trigger out, with a `name`" $index $name (len $name)) -}}
{{- end -}}
{{- if hasKey $names $name -}}
{{- fail (printf "triggers[%d]: %q is there twice; an event would be delivered twice" $index $name) -}}
{{- end -}}
{{- $_ := set $names $name true -}}
{{- $own := list $trigger -}}
{{- if kindIs "map" $trigger -}}
{{- $own = get $trigger "types" | default list -}}
{{- end -}}
{{- range $own -}}
{{- if regexMatch "\\s" . -}}
{{- fail (printf "triggers[%d]: the type %q has a space in it: one type is one line of the list" $index .) -}}
{{- end -}}
{{- if hasKey $types . -}}
{{- fail (printf "triggers[%d]: the type %q is that of triggers[%d] too; an event would be delivered twice" $index . (get $types .)) -}}
{{- end -}}
{{- $_ := set $types . $index -}}
{{- end -}}
{{- end -}}
{{- include "bridge.validateFilters" (dict "triggers" .Values.triggers "types" $types) -}}
{{- end -}}

{{/* (dict "place" "delivery" "delivery" {...} "tried" 10) */}}
{{- define "bridge.validateDelivery" -}}
{{- $place := .place -}}
{{- range $name, $value := dict "backoffDelay" .delivery.backoffDelay "timeout" .delivery.timeout -}}
{{- if or (lt (len (toString $value)) 3) (not (regexMatch "^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+([.][0-9]+)?S)?)?$" (toString $value))) -}}
{{- fail (printf "%s.%s is %q: write a duration in ISO 8601, PT0.2S for 200 ms, PT30S for 30 s" $place $name (toString $value)) -}}
{{- end -}}
{{- end -}}
{{- if le (int (include "bridge.seconds" .delivery.timeout)) .tried -}}
{{- fail (printf "%s.timeout is %q: the bridge itself tries for %d s inside a request (BRIDGE_RETRY_IN_REQUEST_SECONDS), and the Broker must not give up before it; write more" $place .delivery.timeout .tried) -}}
{{- end -}}
{{- end -}}
